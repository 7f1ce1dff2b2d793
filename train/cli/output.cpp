#include "train/cli/output.h"

#include <unistd.h>

#include <cerrno>

namespace attend::inline ATTEND_PRECISION::cli {

int OutputBuffer::sync() {
    for (const char* from = pbase(); error_ == 0 && from < pptr();) {
        const ssize_t n = ::write(descriptor_, from, static_cast<std::size_t>(pptr() - from));
        if (n >= 0)
            from += n;
        else if (errno != EINTR)
            error_ = errno;
    }
    setp(bytes_.data(), bytes_.data() + bytes_.size());
    return error_ == 0 ? 0 : -1;
}

int OutputBuffer::overflow(int c) {
    if (sync() != 0)
        return traits_type::eof();
    return traits_type::eq_int_type(c, traits_type::eof()) ? traits_type::not_eof(c) : sputc(traits_type::to_char_type(c));
}

}  // namespace attend::inline ATTEND_PRECISION::cli
