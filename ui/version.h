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

#endif
