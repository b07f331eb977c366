/* SPDX-License-Identifier: MIT
 * The gateway as a program: options, signals, exit. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/gateway.h"

enum { DRAIN_EXTRA_S = 15 /* for answers to be written, after the longest call */ };

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

void gateway_prepare_process(void)
{
    const struct rlimit no_core = {0, 0};
    struct rlimit files;
    sigset_t set;
    stop_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_DUMPABLE, 0);
    /* A connection is a descriptor: take what we may. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

void gateway_run(struct gateway *g)
{
    sigset_t set;
    int got = 0;
    stop_signals(&set);
    sigwait(&set, &got);
    gateway_drain(g);
    /* From here on a signal does what it does by default: it ends the process. So does the alarm.
     */
    alarm((unsigned)g->options.timeout_s + CALL_WAIT_MAX_S + DRAIN_EXTRA_S);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    gateway_join(g);
    alarm(0);
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

int gateway_main(int argc, char **argv)
{
    char error[OPTION_ERROR_BYTES];
    struct options options;
    options_defaults(&options);
    if (wants_help(argc, argv)) {
        printf("usage: tgrest serve [options]\n\n");
        options_usage(gateway_options, gateway_options_count, stdout);
        return EXIT_SUCCESS;
    }
    if (!options_parse(gateway_options, gateway_options_count, &options, argc, argv, getenv,
                       error)) {
        fprintf(stderr, "tgrest serve: %s\n", error);
        options_release(gateway_options, gateway_options_count, &options);
        return 2;
    }
    gateway_prepare_process();
    struct gateway *g = gateway_start(&options, error);
    if (!g) {
        fprintf(stderr, "tgrest serve: %s\n", error);
        return EXIT_FAILURE;
    }
    gateway_run(g);
    return EXIT_SUCCESS;
}
