/* SPDX-FileCopyrightText: sms.helpdesk contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Runs cmd.exe /c "<SHELL_COMMAND>" as WinRS does and writes its whole exit code to SHELL_EXIT_FILE. Wine's own loader escapes quotation
 * marks of its arguments and cuts exit codes to eight bits, so both go another way. What the command has started ends with this process.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

#define LONGEST 32768

static WCHAR command[LONGEST], line[LONGEST + 64], exit_file[MAX_PATH * 4];

int wmain(void)
{
    STARTUPINFOW start = { sizeof start };
    PROCESS_INFORMATION child;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit;
    HANDLE job = CreateJobObjectW(NULL, NULL);
    DWORD code = 0;
    FILE *out;

    if (!GetEnvironmentVariableW(L"SHELL_COMMAND", command, LONGEST) || !GetEnvironmentVariableW(L"SHELL_EXIT_FILE", exit_file, MAX_PATH * 4))
        return 2;
    /* The code page of the shell: WinRS sets that of the console before it starts the interpreter. */
    swprintf(line, LONGEST + 64, L"cmd.exe /c \"chcp 65001 >nul & %ls\"", command);
    SetEnvironmentVariableW(L"SHELL_COMMAND", NULL);
    SetEnvironmentVariableW(L"SHELL_EXIT_FILE", NULL);
    memset(&limit, 0, sizeof limit);
    limit.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limit, sizeof limit);
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_NO_WINDOW | CREATE_SUSPENDED, NULL, NULL, &start, &child))
        return 3;
    AssignProcessToJobObject(job, child.hProcess);
    ResumeThread(child.hThread);
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    if (!(out = _wfopen(exit_file, L"w")))
        return 4;
    fprintf(out, "%lu", code);
    fclose(out);
    return 0;
}
