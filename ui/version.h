// SPDX-License-Identifier: GPL-2.0-or-later
/* What this program calls itself. */
#ifndef UI_VERSION_H
#define UI_VERSION_H

#define XENLAB_VERSION "0.1"

/* How it was built, as far as that could change what a guest sees. */
#ifdef __SANITIZE_ADDRESS__
#define XENLAB_BUILD "sanitizers"
#else
#define XENLAB_BUILD "plain"
#endif

/* Of all sources that the machine is made of; the Makefile says it. */
#ifndef XENLAB_SOURCES
#define XENLAB_SOURCES "unknown"
#endif

#endif
