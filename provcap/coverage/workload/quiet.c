// SPDX-License-Identifier: GPL-2.0
/* A program without a library: it does nothing that a hook could see. */
void _start(void)
{
	__asm__ volatile("syscall" : : "a"(60), "D"(0));
	__builtin_unreachable();
}
