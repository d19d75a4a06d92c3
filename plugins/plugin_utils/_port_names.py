# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service names that `netstat` without -n prints instead of numbers. Private to the collection.

The table is what Windows' own `services` file resolves (plus the older names of Windows NT). Two names are
ambiguous: Q229097 gives sms-remctrl 2702 and sms-xfer 2704, while IANA's registry and the `services` file of Windows
XP and later have them the other way round. Both readings are kept, the article's first.
"""

from __future__ import annotations

_TABLE = """
echo 7 discard 9 systat 11 daytime 13 qotd 17 chargen 19 ftp-data 20 ftp 21 ssh 22 telnet 23 smtp 25 time 37 rlp 39
nameserver 42 nicname 43 domain 53 bootps 67 bootpc 68 tftp 69 gopher 70 finger 79 http 80 hosts2-ns 81 kerberos 88
hostname 101 iso-tsap 102 rtelnet 107 pop2 109 pop3 110 sunrpc 111 auth 113 uucp-path 117 sqlserv 118 nntp 119 ntp 123
epmap 135 loc-srv 135 netbios-ns 137 nbname 137 netbios-dgm 138 nbdatagram 138 netbios-ssn 139 nbsession 139 imap 143
imap4 143 sql-net 150 sqlsrv 156 pcmail-srv 158 snmp 161 snmptrap 162 snmp-trap 162 print-srv 170 bgp 179 irc 194 ipx 213
rtsps 322 mftp 349 ldap 389 https 443 microsoft-ds 445 kpasswd 464 isakmp 500 crs 507 exec 512 biff 512 login 513 who 513
cmd 514 syslog 514 printer 515 talk 517 ntalk 518 efs 520 router 520 ulp 522 timed 525 tempo 526 irc-serv 529 courier 530
conference 531 netnews 532 netwall 533 uucp 540 klogin 543 kshell 544 dhcpv6-client 546 dhcpv6-server 547 new-rwho 550
afpovertcp 548 rtsp 554 remotefs 556 rmonitor 560 monitor 561 nntps 563 whoami 565 ms-shuttle 568 ms-rome 569
http-rpc-epmap 593 hmmp-ind 612 hmmp-op 613 ldaps 636 doom 666 msexch-routing 691 kerberos-adm 749 kerberos-iv 750
mdbs_daemon 800 ftps-data 989 ftps 990 telnets 992 imaps 993 ircs 994 pop3s 995 activesync 1034 kpop 1109 nfsd-status 1110
nfsd-keepalive 1110 nfa 1155 phone 1167 opsmgr 1270 ms-sql-s 1433 ms-sql-m 1434 ms-sna-server 1477 ms-sna-base 1478
wins 1512 ingreslock 1524 stt 1607 l2tp 1701 pptconference 1711 pptp 1723 msiccp 1731 remote-winsock 1745
ms-streaming 1755 cft-0 1761 landesk-rc 1761 cft-1 1762 cft-2 1763 cft-3 1764 msmq 1801 radius 1812 radacct 1813 msnp 1863
ssdp 1900 close-combat 1944 nfsd 2049 knetd 2053 mzap 2106 qwave 2177 directplay 2234 ms-olap3 2382 ms-olap4 2383
ms-olap1 2393 ms-olap2 2394 ms-theater 2460 wlbs 2504 ms-v-worlds 2525 sms-rcinfo 2701 sms-remctrl 2702 sms-remctrl 2704
sms-chat 2703 sms-xfer 2704 sms-xfer 2702 msolap-ptp2 2725 icslap 2869 cifs 3020 xbox 3074 ms-dotnetster 3126
ms-rule-engine 3132 msft-gc 3268 msft-gc-ssl 3269 ms-cluster-net 3343 ms-wbt-server 3389 ms-la 3535 pnrp-port 3540
teredo 3544 p2pgroup 3587 ws-discovery 3702 upnp-discovery 3702 dvcprov-port 3776 msfw-control 3847 msdts1 3882
sdp-portmapper 3935 net-device 4350 ipsec-msft 4500 llmnr 5355 wsd 5357 wsd 5358 rrac 5678 dccm 5679 ms-licensing 5720
directplay8 6073 ms-do 7680 man 9535 rasadv 9753 imip-channels 11320
"""


def _build() -> dict[str, tuple[int, ...]]:
    names: dict[str, tuple[int, ...]] = {}
    words = iter(_TABLE.split())
    for name, port in zip(words, words, strict=True):
        names[name] = (*names.get(name, ()), int(port))
    return names


PORTS_BY_NAME: dict[str, tuple[int, ...]] = _build()
"""Lower-case service name -> the port numbers it may stand for, likeliest first."""
