/* targets.c - the table of targets.h. */
#include "targets.h"

const struct fuzz_target fuzz_targets[] = {
    {"port", fuzz_port},         {"registry", fuzz_registry},
    {"endpoint", fuzz_endpoint}, {"greeting", fuzz_greeting},
    {"text", fuzz_text},         {"json", fuzz_json},
    {"options", fuzz_options},   {"worksheet", fuzz_worksheet},
    {"match", fuzz_match},       {"directive", fuzz_directive},
    {"progress", fuzz_progress}, {"terminal", fuzz_terminal},
    {"frame", fuzz_frame},       {"segment", fuzz_segment},
    {"tcp", fuzz_tcp},           {"conversation", fuzz_conversation},
    {"pcap", fuzz_pcap},         {"diag", fuzz_diag},
    {"proc", fuzz_proc},         {"link", fuzz_link},
};

const size_t fuzz_target_count = sizeof fuzz_targets / sizeof fuzz_targets[0];
