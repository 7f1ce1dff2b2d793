#pragma once
/// System calls that a signal may interrupt, and the descriptors they work on.
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace attend {

/// Makes the call again as long as a signal interrupts it (EINTR), and gives its result. Not for
/// close(): Linux has released the descriptor also where close() says EINTR.
template <class Call>
auto uninterrupted(Call call) {
    for (;;)
        if (const auto result = call(); result >= 0 || errno != EINTR)
            return result;
}

/// What the system says of an error number.
inline std::string reason_of(int code) { return std::generic_category().message(code); }

/// Owns a file descriptor; -1: none.
class Descriptor {
  public:
    explicit Descriptor(int file = -1) : file_(file) {}
    Descriptor(Descriptor&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(file_, other.file_);
        return *this;
    }
    ~Descriptor() { close(); }
    int get() const { return file_; }
    /// Closes now; 0, or the error number. Where a signal interrupts it the descriptor is closed
    /// all the same.
    int close() { return file_ < 0 || ::close(std::exchange(file_, -1)) == 0 || errno == EINTR ? 0 : errno; }

  private:
    int file_;
};

/// Writes all of `text` that is not yet `done`; 0, or the error number.
inline int write_all(int file, std::string_view text, std::size_t& done) {
    while (done < text.size()) {
        const ssize_t n = uninterrupted([&] { return ::write(file, text.data() + done, text.size() - done); });
        if (n < 0)
            return errno;
        done += static_cast<std::size_t>(n);
    }
    return 0;
}

}  // namespace attend
