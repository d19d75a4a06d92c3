# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault the service knows to give, as functions that make a :class:`~.soap_faults.SoapFault`.

Numbers are those of Windows' ``wsmerror.h``. The texts of recorded faults are what Windows said; a client must not
look at them, and ``language`` in the fleet file changes them.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from .soap import CIM_COMMON, INSTANCE, WMI
from .soap_faults import SERVICE_SHELL, SHELL_PLUGIN, WMI_PLUGIN, WMI_PLUGIN_V1, Provider, SoapFault

# WBEM results the model can raise, and what they are for WinRM.
INVALID_CLASS = 0x80041010
INVALID_QUERY = 0x80041017
INVALID_NAMESPACE = 0x8004100E
WMI_ACCESS_DENIED = 0x80041003
COM_ACCESS_DENIED = 0x80070005
PROVIDER_FAILURE = 0x80041004

_FILTER_REASON = (
    "The data source could not process the filter. The filter might be missing or it might be invalid. "
    "Change the filter and try the request again.  "
)
_SELECTOR_REASON = "The WS-Management service cannot process the request because the request contained invalid selectors for the resource. "
_TIMEOUT_REASON = "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  "

# Synthetic: own translations, so that nobody comes to rely on English.
_GERMAN = {
    _TIMEOUT_REASON: "Der Vorgang konnte in der angegebenen Zeit nicht beendet werden.  ",
    _SELECTOR_REASON: "Die Anforderung enthielt ung\u00fcltige Selektoren f\u00fcr die Ressource. ",
    _FILTER_REASON: "Der Filter konnte von der Datenquelle nicht verarbeitet werden.  ",
    "The parameter is incorrect. ": "Falscher Parameter. ",
    "The system cannot find the file specified. ": "Das System kann die angegebene Datei nicht finden. ",
    "Access is denied. ": "Zugriff verweigert ",
}


def translated(fault: SoapFault, language: str) -> SoapFault:
    """The same fault in the host's language, where the lab has a translation."""
    if language.lower().startswith("de"):
        fault.reason = _GERMAN.get(fault.reason, fault.reason)
        fault.message = _GERMAN.get(fault.message, fault.message)
    return fault


def timed_out() -> SoapFault:
    return SoapFault("w:TimedOut", 2150858793, _TIMEOUT_REASON, sender=False)


def unknown_shell() -> SoapFault:
    provider = Provider(*SERVICE_SHELL, _SELECTOR_REASON, nested=True)
    return SoapFault("w:InvalidSelectors", 2150858843, _SELECTOR_REASON, detail="UnexpectedSelectors", provider=provider)


def unknown_command() -> SoapFault:
    """Signal or Send to a command that is not there (any more)."""
    message = (
        "The Windows Remote Shell received a request to perform an operation on a command identifier that does not exist. "
        "Either the command has completed execution or the client specified an invalid command identifier. "
    )
    return SoapFault("w:InvalidSelectors", 2150858843, _SELECTOR_REASON, message, detail="UnexpectedSelectors")


def invalid_parameter() -> SoapFault:
    """Receive from a command that is not there."""
    text = "The parameter is incorrect. "
    return SoapFault("w:InvalidParameter", 87, text, detail="InvalidValue", provider=Provider(*SHELL_PLUGIN, text))


def program_not_found() -> SoapFault:
    text = "The system cannot find the file specified. "
    return SoapFault("w:InternalError", 2147942402, text, sender=False, provider=Provider(*SHELL_PLUGIN, text))


def shells_quota(limit: int, stack: str) -> SoapFault:
    reason = (
        "The WS-Management service cannot process the request. The maximum number of concurrent shells for this user has been "
        "exceeded. Close existing shells or raise the quota for this user. "
    )
    message = (
        f"The WS-Management service cannot process the request. This user is allowed a maximum number of {limit} concurrent shells, "
        "which has been exceeded. Close existing shells or raise the quota for this user. "
    )
    if stack == "3.0":
        return SoapFault("w:QuotaLimit", 2150859173, reason, message, wmi_error=True)
    # Synthetic for the older stacks: the number of 3.0 in the shape of the recorded operations quota.
    return SoapFault("w:InternalError", 2150859173, reason, message, sender=False, language="")


def operations_quota(limit: int, stack: str) -> SoapFault:
    reason = (
        "The WS-Management service cannot process the request. The maximum number of concurrent operations for this user has been "
        "exceeded. Close existing operations for this user, or raise the quota for this user. "
    )
    message = (
        f"The WS-Management service cannot process the request. This user is allowed a maximum number of {limit} concurrent "
        "operations, which has been exceeded. Close existing operations for this user, or raise the quota for this user. "
    )
    if stack == "3.0":
        return SoapFault("w:InternalError", 2150859174, reason, message, sender=False, wmi_error=True)
    return SoapFault("w:InternalError", 2150859174, reason, message, sender=False, language="")


def invalid_timeout(value: str) -> SoapFault:
    reason = "The WS-Management service cannot process the request. The request contains one or more invalid SOAP headers. "
    message = (
        f"The WS-Management service cannot process the request. The XML contains an invalid timeout field in the SOAP header: {value}. "
    )
    return SoapFault("a:InvalidMessageInformationHeader", 2150858767, reason, message)


def header_required(name: str) -> SoapFault:
    """ERROR_WSMAN_MESSAGE_INFORMATION_HEADER_REQUIRED. Synthetic shape."""
    text = f"The request is missing the addressing header {name}. "
    return SoapFault("a:MessageInformationHeaderRequired", 2150858769, text, text)


def schema_error(text: str) -> SoapFault:
    return SoapFault("w:SchemaValidationError", 2150858817, text, text, language="")


def missing_element(name: str) -> SoapFault:
    """Wording as reported in jborean93/pypsrp#193."""
    return schema_error(f"WinRM cannot process the request because the request is missing the element titled '{name}'. ")


def invalid_xml() -> SoapFault:
    """Synthetic: number known, body not recorded."""
    return SoapFault("w:SchemaValidationError", 2150858819, "The request is not well-formed XML or declares a document type. ")


def unknown_resource(resource: str) -> SoapFault:
    """Number and wording as reported by users (jborean93/pypsrp#192, diyan/pywinrm#273); the shape is synthetic."""
    text = (
        f"The WS-Management service cannot process the request. The resource URI ({resource}) was not found in the WS-Management catalog. "
    )
    return SoapFault("a:DestinationUnreachable", 2150858811, text, text, detail="InvalidResourceURI")


def instance_not_found() -> SoapFault:
    """ERROR_WSMAN_RESOURCE_NOT_FOUND, the code and subcode as reported in microsoft/omi#254. Synthetic shape."""
    text = "The service cannot find the resource identified by the resource URI and selectors. "
    return SoapFault("a:DestinationUnreachable", 2150858752, text, text)


def action_unknown(action: str) -> SoapFault:
    """Synthetic shape; ERROR_WSMAN_INVALID_ACTIONURI."""
    text = f"The WS-Addressing action ({action}) is not valid. "
    return SoapFault("a:ActionNotSupported", 2150858753, text, text)


def action_not_supported() -> SoapFault:
    """A known action on a resource that does not offer it (0x80338031, as reported in ansible/ansible#32531). Synthetic shape."""
    text = "The action is not compatible with the resource. "
    return SoapFault("a:ActionNotSupported", 2150858801, text, text)


def invalid_context() -> SoapFault:
    """ERROR_WSMAN_ENUMERATE_INVALID_ENUMERATION_CONTEXT. Synthetic shape."""
    text = "The enumeration context is not valid, or has been used up. "
    return SoapFault("n:InvalidEnumerationContext", 2150858779, text, text, sender=False)


def dialect_unavailable() -> SoapFault:
    """ERROR_WSMAN_ENUMERATE_FILTER_DIALECT_REQUESTED_UNAVAILABLE. Synthetic shape."""
    text = "The filter dialect is not supported for this resource. "
    return SoapFault("n:FilterDialectRequestedUnavailable", 2150858777, text, text)


def mode_unsupported() -> SoapFault:
    """ERROR_WSMAN_ENUMERATION_MODE_UNSUPPORTED. Synthetic shape."""
    text = "The enumeration mode is not supported for this resource. "
    return SoapFault("w:UnsupportedFeature", 2150858886, text, text, detail="EnumerationMode")


def envelope_too_large(limit: int) -> SoapFault:
    """A request above the service's MaxEnvelopeSizekb. ERROR_WSMAN_ENVELOPE_TOO_LARGE; synthetic shape."""
    text = f"The size of the request is above the configured maximum of {limit} bytes. "
    return SoapFault("w:EncodingLimit", 2150858790, text, text, detail="ServiceEnvelopeLimit")


def answer_too_large() -> SoapFault:
    """One item alone is above the client's MaxEnvelopeSize. ERROR_WSMAN_MAX_ENVELOPE_SIZE_EXCEEDED; synthetic shape."""
    text = "An item of the answer is above the maximum envelope size of the request. "
    return SoapFault("w:EncodingLimit", 2150858824, text, text, detail="MaxEnvelopeSizeExceeded")


def invalid_option(name: str) -> SoapFault:
    """ERROR_WSMAN_OPTIONS_INVALID_VALUE. Synthetic shape."""
    text = f"The option {name} has a value that is not valid. "
    return SoapFault("w:InvalidOptions", 2150858835, text, text, detail="InvalidValue")


def _extended_status(namespace: str, query: str) -> str:
    uri = f"{WMI}{namespace}/__ExtendedStatus"
    return (
        f'<p:__ExtendedStatus xmlns:xsi="{INSTANCE}" xmlns:p="{uri}" xmlns:cim="{CIM_COMMON}" xsi:type="p:__ExtendedStatus_Type">'
        f'<p:Description xsi:nil="true"/><p:Operation>ExecQuery</p:Operation><p:ParameterInfo>{escape(query)}</p:ParameterInfo>'
        '<p:ProviderName>WinMgmt</p:ProviderName><p:StatusCode xsi:nil="true"/></p:__ExtendedStatus>'
    )


def wmi_error(hresult: int, stack: str, namespace: str, query: str) -> SoapFault:
    """What a WBEM error of the model is on the wire.

    The missing class is recorded for 1.1 and 2.0 and taken over for 3.0. The rest is synthetic: access denied comes as
    ``w:AccessDenied`` 5 for WBEM's own refusal and as ``w:InternalError`` 2147942405 for COM's, both seen in reports.
    """
    hresult &= 0xFFFFFFFF
    plugin = WMI_PLUGIN_V1 if stack == "1.1" else WMI_PLUGIN
    extended = _extended_status(namespace, query)

    def provider(message: str) -> Provider:
        return Provider(*plugin, message, nested=True, names_computer=True, extended=extended)

    if hresult == INVALID_CLASS:
        message = "The specified class does not exist in the given namespace. "
        return SoapFault("n:CannotProcessFilter", 2150858778, _FILTER_REASON, provider=provider(message))
    if hresult == INVALID_QUERY:
        return SoapFault("n:CannotProcessFilter", 2150858778, _FILTER_REASON, provider=provider("The WQL query is invalid. "))
    if hresult == INVALID_NAMESPACE:
        text = "The WMI service reported that the namespace does not exist. "
        return SoapFault("a:DestinationUnreachable", 2150858752, text, detail="InvalidResourceURI", provider=provider(text))
    if hresult == WMI_ACCESS_DENIED:
        return SoapFault("w:AccessDenied", 5, "Access is denied. ", provider=provider("Access is denied. "))
    if hresult == COM_ACCESS_DENIED:
        return SoapFault("w:InternalError", 2147942405, "Access is denied. ", sender=False, provider=provider("Access is denied. "))
    text = f"The WMI service or the WMI provider returned an error: HRESULT 0x{hresult:08x} "
    return SoapFault("w:InternalError", hresult, text, sender=False, provider=provider(text))
