/* SPDX-License-Identifier: MIT */
#ifndef TGREST_GATEWAY_SESSION_MAIN_H
#define TGREST_GATEWAY_SESSION_MAIN_H

/* `tgrest session inspect|export|import`: argv[0] is "session". The exit status. */
int session_main(int argc, char **argv);
/* `tgrest keygen [FILE]`: argv[0] is "keygen". */
int keygen_main(int argc, char **argv);

#endif
