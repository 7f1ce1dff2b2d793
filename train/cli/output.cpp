#include "train/cli/output.h"

#include "core/base/system_call.h"
#include "train/config/utf8.h"

namespace attend::cli {

void OutputBuffer::write(std::string_view bytes) {
    std::size_t done = 0;
    if (error_ == 0)
        error_ = write_all(descriptor_, bytes, done);
}

OutputBuffer::~OutputBuffer() {
    sync();
    write(utf8::shown(begun_));
}

int OutputBuffer::sync() {
    const std::string_view fresh(pbase(), static_cast<std::size_t>(pptr() - pbase()));
    if (reader_ == Reader::program) {
        write(fresh);
    } else {
        begun_ += fresh;
        const std::size_t whole = begun_.size() - utf8::unfinished(begun_);
        write(utf8::shown(std::string_view(begun_).substr(0, whole)));
        begun_.erase(0, whole);
    }
    setp(bytes_.data(), bytes_.data() + bytes_.size());
    return error_ == 0 ? 0 : -1;
}

int OutputBuffer::overflow(int c) {
    if (sync() != 0)
        return traits_type::eof();
    return traits_type::eq_int_type(c, traits_type::eof()) ? traits_type::not_eof(c) : sputc(traits_type::to_char_type(c));
}

}  // namespace attend::cli
