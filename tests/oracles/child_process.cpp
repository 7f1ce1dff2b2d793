#include "tests/oracles/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/base/error.h"

extern "C" char** environ;

namespace attend::ATTEND_PRECISION::oracles {

namespace {
// Pointers to the texts, and the null that ends such a list.
std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}
}  // namespace

Ended run_process(std::vector<std::string> words, std::vector<std::string> changes) {
    const std::size_t changed = changes.size();
    for (char** v = environ; *v != nullptr; ++v) {
        const std::string_view name(*v, std::strcspn(*v, "=") + 1);
        if (std::none_of(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(changed),
                         [&](const std::string& c) { return c.starts_with(name); }))
            changes.emplace_back(*v);
    }
    int ends[2];
    ensure(::pipe2(ends, O_CLOEXEC) == 0, "pipe: {}", std::strerror(errno));
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDERR_FILENO);
    pid_t child = -1;
    const int failure =
        ::posix_spawn(&child, words.front().c_str(), &files, nullptr, pointers(words).data(), pointers(changes).data());
    posix_spawn_file_actions_destroy(&files);
    ::close(ends[1]);
    Ended ended;
    char piece[4096];
    for (ssize_t n = 1; failure == 0 && n != 0;) {
        n = ::read(ends[0], piece, sizeof piece);
        if (n > 0)
            ended.output.append(piece, static_cast<std::size_t>(n));
        else if (n < 0 && errno != EINTR)
            break;
    }
    ::close(ends[0]);
    ensure(failure == 0, "{}: cannot be started: {}", words.front(), std::strerror(failure));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ended;
}

}  // namespace attend::ATTEND_PRECISION::oracles
