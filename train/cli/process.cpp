#include "train/cli/process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/parallel.h"

namespace attend::cli {

void prepare_process() {
    // In this order a descriptor that is opened gets the number that is missing.
    constexpr int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor)
        if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF && ::open("/dev/null", modes[descriptor]) < 0)
            ::_exit(1);  // nowhere to say why
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);
    flush_denormals();
}

}  // namespace attend::cli
