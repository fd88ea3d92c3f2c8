"""Runs a command for which some system calls fail, as on a share that can do less than a local disk.

    python without.py CALL=ERRNO... -- COMMAND...

CALL is `symlink`, `exchange` (renameat2) or `shared-memory` (mmap with MAP_SHARED alone). It exits with 77 if system
calls can't be filtered.
"""

import ctypes
import os
import sys

LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NUMBER, FOURTH_ARGUMENT = 0, 16 + 3 * 8
MAP_SHARED = 1
# System call numbers on x86-64: symlink and symlinkat, renameat2, mmap.
CALLS = {"symlink": [88, 266], "exchange": [316], "shared-memory": [9]}


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("value", ctypes.c_uint)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(Instruction))]


def rules(name, errno):
    for number in CALLS[name]:
        if name == "shared-memory":
            yield LOAD, 0, 0, NUMBER
            yield JUMP_IF_EQUAL, 0, 3, number
            yield LOAD, 0, 0, FOURTH_ARGUMENT
            yield JUMP_IF_EQUAL, 0, 1, MAP_SHARED
        else:
            yield LOAD, 0, 0, NUMBER
            yield JUMP_IF_EQUAL, 0, 1, number
        yield RETURN, 0, 0, FAIL | errno


def main():
    end = sys.argv.index("--")
    named = [argument.split("=") for argument in sys.argv[1:end]]
    program = [rule for name, errno in named for rule in rules(name, int(errno))] + [(RETURN, 0, 0, ALLOW)]
    instructions = (Instruction * len(program))(*(Instruction(*rule) for rule in program))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, filter_calls = (38, 1, 0, 0, 0), (22, 2, ctypes.byref(Program(len(program), instructions)), 0, 0)
    if os.uname().machine != "x86_64" or libc.prctl(*no_new_privileges) or libc.prctl(*filter_calls):
        sys.exit(77)
    os.execvp(sys.argv[end + 1], sys.argv[end + 1 :])


main()
