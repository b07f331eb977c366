/* SPDX-License-Identifier: MIT */
#ifndef TGREST_DEMO_H
#define TGREST_DEMO_H

/* `tgrest demo`: argv[0] is the subcommand. The exit status. */
int demo_main(int argc, char **argv);

#endif
