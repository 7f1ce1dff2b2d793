#include "train/learn/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace attend {

namespace {
// A handler can only reach what is global; docs/decisions.md names it.
std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);
struct sigaction before_interrupt, before_terminate;

extern "C" void note_signal(int signal) {
    if (first_signal.exchange(signal) != 0)
        _exit(128 + signal);
}
}  // namespace

StopSignals::StopSignals() {
    first_signal = 0;
    struct sigaction action = {};
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before_interrupt);
    sigaction(SIGTERM, &action, &before_terminate);
}
StopSignals::~StopSignals() {
    sigaction(SIGINT, &before_interrupt, nullptr);
    sigaction(SIGTERM, &before_terminate, nullptr);
}
int StopSignals::received() { return first_signal; }

}  // namespace attend
