#include "core/base/library_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

#include "core/base/files.h"
#include "core/base/openblas.h"
#include "core/base/system_call.h"
#include "core/base/user_cache.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace attend {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Below and above the small-matrix kernels' limit (m n k = 100^3), more rows and more inner
// positions than one block of the library's, none a multiple of its tiles.
struct Size {
    int64_t m, n, k;
};
constexpr Size sizes[] = {{9, 17, 5}, {48, 67, 129}, {96, 112, 97}, {17, 19, 600}, {801, 17, 9}};

// Small integers, the same at every call: sums of their products are exact in float in any order.
std::vector<int> integers(int64_t n, uint32_t state) {
    std::vector<int> values(static_cast<std::size_t>(n));
    for (int& v : values) {
        state = state * 1664525u + 1013904223u;
        v = static_cast<int>(state >> 16 & 7u) - 3;
    }
    return values;
}

// A matrix of `rows` rows of `columns` as numbers of type T, or its transpose; rows are `gap`
// elements apart.
constexpr int64_t gap = 3;
template <class T>
std::vector<T> stored(const std::vector<int>& values, int64_t rows, int64_t columns, Transpose transposed) {
    const int64_t step = (transposed == Transpose::yes ? rows : columns) + gap;
    std::vector<T> to(static_cast<std::size_t>((transposed == Transpose::yes ? columns : rows) * step), T(1000));
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            to[static_cast<std::size_t>(transposed == Transpose::yes ? j * step + i : i * step + j)] =
                static_cast<T>(values[static_cast<std::size_t>(i * columns + j)]);
    return to;
}

struct Expected {
    Size size;
    std::vector<int> a, b, c, sums;  // sums = a b, by plain loops
};

Expected expected_of(Size s) {
    Expected e{s, integers(s.m * s.k, 1), integers(s.k * s.n, 2), integers(s.m * s.n, 3), {}};
    e.sums.resize(static_cast<std::size_t>(s.m * s.n));
    for (int64_t i = 0; i < s.m; ++i)
        for (int64_t p = 0; p < s.k; ++p) {
            const int left = e.a[static_cast<std::size_t>(i * s.k + p)];
            for (int64_t j = 0; j < s.n; ++j)
                e.sums[static_cast<std::size_t>(i * s.n + j)] += left * e.b[static_cast<std::size_t>(p * s.n + j)];
        }
    return e;
}

// C := A B / 2 + beta C by the library; what is wrong with it, or "".
template <class T>
std::string fault_of(const Expected& e, Transpose ta, Transpose tb, int beta) {
    const Size s = e.size;
    const std::vector<T> a = stored<T>(e.a, s.m, s.k, ta), b = stored<T>(e.b, s.k, s.n, tb);
    std::vector<T> c = stored<T>(e.c, s.m, s.n, Transpose::no);
    openblas::product(ta, tb, s.m, s.n, s.k, T(0.5), a.data(), (ta == Transpose::yes ? s.m : s.k) + gap, b.data(),
                      (tb == Transpose::yes ? s.k : s.n) + gap, static_cast<T>(beta), c.data(), s.n + gap);
    for (int64_t i = 0; i < s.m; ++i)
        for (int64_t j = 0; j < s.n + gap; ++j) {
            const auto at = static_cast<std::size_t>(i * s.n + j);
            const T wanted = j < s.n ? T(0.5) * static_cast<T>(e.sums[at]) + static_cast<T>(beta * e.c[at]) : T(1000);
            if (const T found = c[static_cast<std::size_t>(i * (s.n + gap) + j)]; found != wanted)
                return fmt::format("{} product of {} x {} x {}, transposed {} and {}: row {}, column {}: {}, expected {}",
                                   sizeof(T) == 4 ? "float" : "double", s.m, s.k, s.n, ta == Transpose::yes ? "yes" : "no",
                                   tb == Transpose::yes ? "yes" : "no", i, j, found, wanted);
        }
    return {};
}

std::string first_fault() {
    for (const Size s : sizes) {
        const Expected e = expected_of(s);
        int beta = 0;
        for (const Transpose ta : {Transpose::no, Transpose::yes})
            for (const Transpose tb : {Transpose::no, Transpose::yes}) {
                if (std::string fault = fault_of<float>(e, ta, tb, beta); !fault.empty())
                    return fault;
                beta = 1 - beta;
                if (std::string fault = fault_of<double>(e, ta, tb, beta); !fault.empty())
                    return fault;
            }
    }
    return {};
}

// The child's side: writes the fault into the pipe and ends.
[[noreturn]] void report_fault(int pipe) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    for (const int signal : {SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGABRT}) ::signal(signal, SIG_DFL);
    const std::string fault = first_fault();
    const std::string_view text = fault.empty() ? "sound" : std::string_view(fault);
    const ssize_t written = uninterrupted([&] { return ::write(pipe, text.data(), text.size()); });
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
}

// What the child wrote until it closed the pipe; none when that takes too long.
std::optional<std::string> read_until(Clock::time_point end, int pipe) {
    std::string text;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
        pollfd wanted{pipe, POLLIN, 0};
        if (left <= 0 || uninterrupted([&] { return ::poll(&wanted, 1, static_cast<int>(left)); }) <= 0)
            return {};
        char piece[512];
        const ssize_t n = uninterrupted([&] { return ::read(pipe, piece, sizeof piece); });
        if (n <= 0)
            return text;
        text.append(piece, static_cast<std::size_t>(n));
    }
}

// By a child process; where the system makes none, nothing is known, and the library is left out.
LibraryCheck check_in_child() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return {fmt::format("not checked: no pipe: {}", std::strerror(errno)), false};
    const pid_t child = ::fork();
    if (child == 0)
        report_fault(ends[1]);
    const int failure = errno;
    ::close(ends[1]);
    if (child < 0) {
        ::close(ends[0]);
        return {fmt::format("not checked: no process: {}", std::strerror(failure)), false};
    }
    const std::optional<std::string> text = read_until(Clock::now() + std::chrono::seconds(2), ends[0]);
    ::close(ends[0]);
    if (!text)
        ::kill(child, SIGKILL);
    int status = 0;
    const pid_t ended = uninterrupted([&] { return ::waitpid(child, &status, 0); });
    if (!text)
        return {"products do not end within 2 s", false};
    if (ended == child && WIFSIGNALED(status))
        return {fmt::format("a product ends the process: {}", ::strsignal(WTERMSIG(status))), WTERMSIG(status) != SIGKILL};
    if (*text == "sound")
        return {};
    return text->empty() ? LibraryCheck{"the check ended without a result", false} : LibraryCheck{*text};
}

// This processor, as far as the choice of kernels and their faults can depend on it.
std::string processor() {
#if defined(__x86_64__)
    std::string text;
    unsigned a = 0, b = 0, c = 0, d = 0;
    for (const unsigned leaf : {0u, 1u, 7u})
        if (__get_cpuid_count(leaf, 0, &a, &b, &c, &d) != 0)  // leaf 1: b names the very core
            text += fmt::format("{:08x} {:08x} {:08x} {:08x} ", a, leaf == 1 ? 0 : b, c, d);
    return text;
#else
    std::string text, line;
    std::ifstream in("/proc/cpuinfo");
    while (std::getline(in, line) && !line.empty())  // the first core
        if (!line.starts_with("processor") && !line.starts_with("BogoMIPS"))
            text += line + " ";
    return text;
#endif
}

// The processor and the kernels in use.
std::string subject() { return fmt::format("processor: {}\nlibrary: {}\n", processor(), openblas::name()); }

// What the result depends on: these, and this program, by its file's size and time.
std::string question() {
    struct stat program {};
    if (::stat("/proc/self/exe", &program) != 0)
        return {};
    return fmt::format("attend: check of matrix products\n{}program: {} bytes, {}.{:09}\nresult: ", subject(), program.st_size,
                       program.st_mtim.tv_sec, program.st_mtim.tv_nsec);
}

// One for each subject: the next build's result takes its place.
fs::path answer_file(const fs::path& memory) {
    const std::string about = subject();
    return memory / fmt::format("products-{:08x}.txt", crc32_of(std::as_bytes(std::span(about))));
}

std::optional<std::string> remembered(const fs::path& file, const std::string& asked) {
    std::ifstream in(file, std::ios::binary);
    std::string text(4096, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (!text.starts_with(asked) || !text.ends_with('\n') || text.size() <= asked.size() + 1)
        return {};
    return text.substr(asked.size(), text.size() - asked.size() - 1);
}

void remember(const fs::path& file, const std::string& text) {
    std::error_code ignored;
    fs::create_directories(file.parent_path(), ignored);
    try {
        write_file_atomically(file, text);
    } catch (const std::exception&) {
        // No such folder, no room, no right to write: the next start checks again.
    }
}

}  // namespace

LibraryCheck check_library(const fs::path& memory) {
    const std::string asked = memory.empty() ? std::string() : question();
    const fs::path file = asked.empty() ? fs::path() : answer_file(memory);
    if (!file.empty())
        if (const std::optional<std::string> answer = remembered(file, asked))
            return {*answer == "sound" ? std::string() : *answer, true, true};
    const LibraryCheck check = check_in_child();
    if (!file.empty() && check.lasting)
        remember(file, asked + (check.sound() ? "sound" : check.fault) + "\n");
    return check;
}

const LibraryCheck& library_check() {
    static const LibraryCheck check = check_library(user_cache());
    return check;
}

}  // namespace attend
