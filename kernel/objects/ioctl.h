/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVCAP_OBJECTS_IOCTL_H
#define PROVCAP_OBJECTS_IOCTL_H
/*
 * Which way an ioctl goes, and whether it carries content. Newer commands say the direction in their upper
 * bits, older ones say nothing. docs/reference/ioctl.md has the table.
 */
#include "inode.h"

#define IOC_DIRECTION(command) ((command) >> 30)
#define IOC_WRITE 1 /* user space writes */
#define IOC_READ 2

#define OLD_TERMINAL 0x54 /* type byte of terminal commands; alone, they have no direction bits */

enum {
	FIGETBSZ = 0x2,
	TCGETS = 0x5401,
	TCGETA = 0x5405,
	TIOCGPGRP = 0x540f,
	TIOCOUTQ = 0x5411,
	TIOCSTI = 0x5412,
	TIOCGWINSZ = 0x5413,
	TIOCMGET = 0x5415,
	TIOCGSOFTCAR = 0x5419,
	FIONREAD = 0x541b,
	TIOCLINUX = 0x541c,
	TIOCGSERIAL = 0x541e,
	FIONBIO = 0x5421,
	TIOCGETD = 0x5424,
	TIOCGSID = 0x5429,
	TIOCGRS485 = 0x542e,
	TCGETX = 0x5432,
	FIONCLEX = 0x5450,
	FIOCLEX = 0x5451,
	FIOASYNC = 0x5452,
	TIOCGLCKTRMIOS = 0x5456,
	TIOCGICOUNT = 0x545d,
	FIOQSIZE = 0x5460,
	FICLONE = 0x40049409,
	FICLONERANGE = 0x4020940d,
};

#define FIDEDUPERANGE 0xc0189436 /* too large for an enum of this width */

enum prov_ioctl {
	IOCTL_WRITES = 1,
	IOCTL_READS = 2,
	IOCTL_NO_CONTENT = 4,
};

/* By the bits of the command; without any it may be both. */
static __always_inline __u32 told_ways(__u32 command)
{
	__u32 direction = IOC_DIRECTION(command), ways = 0;

	if (!direction)
		return IOCTL_WRITES | IOCTL_READS;
	if (direction & IOC_WRITE)
		ways |= IOCTL_WRITES;
	if (direction & IOC_READ)
		ways |= IOCTL_READS;
	return ways;
}

/*
 * Of any descriptor: how much there is, how the descriptor itself behaves, and what brings content from
 * another file, which copy.bpf.c tells; 0: another command
 */
static __always_inline __u32 common_ways(__u32 command)
{
	switch (command) {
	case FIGETBSZ:
	case FIOQSIZE:
	case FIONREAD:
	case TIOCOUTQ:
		return IOCTL_READS | IOCTL_NO_CONTENT;
	case FIOCLEX:
	case FIONCLEX:
	case FIONBIO:
	case FIOASYNC:
	case FICLONE:
	case FICLONERANGE:
	case FIDEDUPERANGE:
		return IOCTL_WRITES | IOCTL_NO_CONTENT;
	default:
		return 0;
	}
}

/*
 * Settings of the line are no content: else two programs that both ask for them would seem to exchange
 * data. TIOCSTI pushes input, TIOCLINUX selects and pastes what is on the screen.
 */
static __always_inline __u32 terminal_ways(__u32 command)
{
	switch (command) {
	case TIOCSTI:
		return IOCTL_WRITES;
	case TIOCLINUX:
		return IOCTL_WRITES | IOCTL_READS;
	case TCGETS:
	case TCGETA:
	case TIOCGPGRP:
	case TIOCGWINSZ:
	case TIOCMGET:
	case TIOCGSOFTCAR:
	case TIOCGSERIAL:
	case TIOCGETD:
	case TIOCGSID:
	case TIOCGRS485:
	case TCGETX:
	case TIOCGLCKTRMIOS:
	case TIOCGICOUNT:
		return IOCTL_READS | IOCTL_NO_CONTENT;
	default:
		if (command >> 8 == OLD_TERMINAL)
			return IOCTL_WRITES | IOCTL_NO_CONTENT;
		return told_ways(command) | IOCTL_NO_CONTENT;
	}
}

/* enum prov_ioctl of this command on this object; 0: it is refused, as a terminal command on a file is */
VERIFIED_ONCE __u32 ioctl_ways(__u32 command, bool terminal)
{
	__u32 ways = common_ways(command);

	if (ways)
		return ways;
	if (terminal)
		return terminal_ways(command);
	return command >> 8 == OLD_TERMINAL ? 0 : told_ways(command);
}

#endif
