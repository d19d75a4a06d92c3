# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one line, its %variables% already expanded, to what cmd.exe would do with it.

The rules are those of Microsoft's command shell overview and of `cmd /?`: ``&`` binds weakest, then ``||``, ``&&``, ``|``; quotation
marks and ``^`` take the meaning from the special characters; the body of if and for reaches to the end of its line or group.
"""

from __future__ import annotations

import typing as t

from .tree import For, Group, If, Joined, Node, Redirection, Simple

DELIMITERS = " \t,;="


class SyntaxProblem(Exception):
    """The line cannot be read; `token` is what was not expected, "" if the line ended too early."""

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token


_COMPARISONS = ("EQU", "NEQ", "LSS", "LEQ", "GTR", "GEQ")


def parse(line: str) -> Node | None:
    """The line as a tree; None for an empty one.

    :raises SyntaxProblem: cmd.exe would not accept it.
    """
    return _Parser(line).line()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def line(self) -> Node | None:
        node = self.sequence()
        self.blanks()
        if self.at < len(self.text):
            raise SyntaxProblem(self.text[self.at])
        return node

    # What stands between commands.

    def blanks(self, also: str = "") -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\n" + also:
            self.at += 1

    def operator(self) -> str:
        """The operator at this place, not taken."""
        for operator in ("&&", "||", "&", "|"):
            if self.text.startswith(operator, self.at):
                return operator
        if self.at < len(self.text) and self.text[self.at] == "\n" and self.depth:
            return "\n"
        return ""

    def sequence(self) -> Node | None:
        left = self.either()
        while True:
            self.blanks_on_line()
            operator = self.operator()
            if operator not in ("&", "\n"):
                return left
            self.at += 1
            right = self.either()
            if left is None and operator == "&":
                raise SyntaxProblem("&")
            if right is not None:
                left = right if left is None else Joined("&", left, right)

    def blanks_on_line(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def either(self) -> Node | None:
        return self.chain("||", self.both)

    def both(self) -> Node | None:
        return self.chain("&&", self.pipeline)

    def pipeline(self) -> Node | None:
        return self.chain("|", self.command)

    def chain(self, operator: str, below: t.Callable[[], Node | None]) -> Node | None:
        left = below()
        while True:
            self.blanks_on_line()
            if self.operator() != operator:
                return left
            if left is None:
                raise SyntaxProblem(operator)
            self.at += len(operator)
            self.blanks()
            right = below()
            if right is None:
                raise SyntaxProblem(self.text[self.at : self.at + 1])
            left = Joined(operator, left, right)

    # Commands.

    def command(self) -> Node | None:
        quiet = False
        self.blanks(",;=" if self.at == 0 else "")
        while self.at < len(self.text) and self.text[self.at] in "@":
            quiet = True
            self.at += 1
            self.blanks_on_line()
        if self.at >= len(self.text) or (self.text[self.at] == ")" and self.depth):
            return None
        if self.text[self.at] == "(":
            return self.group(quiet)
        start = self.at
        word = self.word().lower()
        if word == "if":
            return self.condition()
        if word == "for":
            return self.loop()
        self.at = start
        if word == "rem" or word.startswith("rem."):
            end = self.text.find("\n", self.at)
            text = self.text[self.at : end if end >= 0 else len(self.text)]
            self.at += len(text)
            return Simple(text, quiet=quiet)
        text, redirections = self.simple()
        if not text.strip() and not redirections:
            return None
        return Simple(text, tuple(redirections), quiet)

    def group(self, quiet: bool) -> Node:
        self.at += 1
        self.depth += 1
        body = self.sequence()
        self.blanks()
        if self.at >= len(self.text) or self.text[self.at] != ")":
            raise SyntaxProblem(self.text[self.at : self.at + 1])
        self.at += 1
        self.depth -= 1
        redirections: list[Redirection] = []
        while True:
            self.blanks_on_line()
            if not self.redirection(redirections):
                return Group(body, tuple(redirections), quiet)

    def simple(self) -> tuple[str, list[Redirection]]:
        """Text up to the next operator, escapes resolved, quotation marks kept, redirections apart."""
        taken: list[str] = []
        redirections: list[Redirection] = []
        quoted = False
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\n":
                break
            if quoted:
                quoted = char != '"'
            elif char == '"':
                quoted = True
            elif char == "^":
                self.at += 1
                if self.at < len(self.text):
                    taken.append(self.text[self.at])
                    self.at += 1
                continue
            elif char in "&|" or (char == ")" and self.depth):
                break
            elif char in "<>" or (char.isdigit() and self.text[self.at + 1 : self.at + 2] in ("<", ">") and self.may_number(taken)):
                self.redirection(redirections)
                continue
            taken.append(char)
            self.at += 1
        return "".join(taken), redirections

    def may_number(self, taken: list[str]) -> bool:
        return not taken or taken[-1] in DELIMITERS + '"'

    def redirection(self, found: list[Redirection]) -> bool:
        """Take one redirection if there is one here."""
        start = self.at
        number = ""
        if self.at < len(self.text) and self.text[self.at].isdigit():
            number = self.text[self.at]
            self.at += 1
        if self.text[self.at : self.at + 1] not in ("<", ">") or not self.text[self.at : self.at + 1]:
            self.at = start
            return False
        operation = self.text[self.at]
        self.at += 1
        if operation == ">" and self.text.startswith(">", self.at):
            operation = ">>"
            self.at += 1
        fd = int(number) if number else (0 if operation == "<" else 1)
        if self.text.startswith("&", self.at):
            self.at += 1
            digit = self.text[self.at : self.at + 1]
            if not digit.isdigit():
                raise SyntaxProblem("&")
            self.at += 1
            found.append(Redirection(fd, operation, "&" + digit))
            return True
        self.blanks_on_line()
        target = self.word()
        if not target:
            raise SyntaxProblem(self.text[self.at : self.at + 1])
        found.append(Redirection(fd, operation, target.replace('"', "")))
        return True

    def word(self, stop: str = DELIMITERS) -> str:
        """The next word: up to a delimiter or an operator, escapes resolved, quotation marks kept."""
        taken: list[str] = []
        quoted = False
        while self.at < len(self.text):
            char = self.text[self.at]
            if quoted:
                quoted = char != '"'
            elif char == '"':
                quoted = True
            elif char == "^":
                self.at += 1
                if self.at < len(self.text):
                    taken.append(self.text[self.at])
                    self.at += 1
                continue
            elif char in stop + "&|<>\n()" or (char == ")" and self.depth):
                break
            taken.append(char)
            self.at += 1
        return "".join(taken)

    def condition(self) -> Node:
        negated = ignore_case = False
        while True:
            self.blanks_on_line()
            start = self.at
            word = self.word(" \t=")
            if word.lower() == "/i":
                ignore_case = True
            elif word.lower() == "not":
                negated = True
            else:
                break
        kind, left, right = word.lower(), "", ""
        if kind in ("exist", "defined", "errorlevel", "cmdextversion"):
            self.blanks_on_line()
            left = self.word(" \t")
        else:
            self.at = start
            left = self.word(" \t=")
            self.blanks_on_line()
            if self.text.startswith("==", self.at):
                kind = "=="
                self.at += 2
            else:
                kind = self.word(" \t").upper()
                if kind not in _COMPARISONS:
                    raise SyntaxProblem(kind or self.text[self.at : self.at + 1])
            self.blanks(",;=")
            right = self.word(" \t")
        then = self.sequence()
        if then is None:
            raise SyntaxProblem(self.text[self.at : self.at + 1])
        # A group followed by else: the word was left standing by simple(), which reads no group.
        otherwise = None
        start = self.at
        self.blanks_on_line()
        if self.word().lower() == "else":
            otherwise = self.sequence()
            if otherwise is None:
                raise SyntaxProblem(self.text[self.at : self.at + 1])
        else:
            self.at = start
        return If(kind, left, right, negated, ignore_case, then, otherwise)

    def loop(self) -> Node:
        mode = options = ""
        while True:
            self.blanks_on_line()
            word = self.word()
            if word.startswith("/") and len(word) == 2:
                mode = word[1].upper()
                self.blanks_on_line()
                if mode in "FR" and not self.text.startswith("%", self.at):
                    options = self.word().strip('"')
                continue
            break
        if len(word.lstrip("%")) != 1 or not word.startswith("%"):
            raise SyntaxProblem(word)
        self.expect("in")
        self.blanks_on_line()
        if not self.text.startswith("(", self.at):
            raise SyntaxProblem(self.text[self.at : self.at + 1])
        end, quoted = self.at + 1, False
        while end < len(self.text) and (quoted or self.text[end] != ")"):
            quoted ^= self.text[end] in "\"'"
            end += 1
        items = self.text[self.at + 1 : end].replace("^", "")
        self.at = end + 1
        self.expect("do")
        body = self.sequence()
        if body is None:
            raise SyntaxProblem(self.text[self.at : self.at + 1])
        return For(mode, options, word[-1], items, body)

    def expect(self, word: str) -> None:
        self.blanks_on_line()
        found = self.word()
        if found.lower() != word:
            raise SyntaxProblem(found or self.text[self.at : self.at + 1])
