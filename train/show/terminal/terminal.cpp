#include "train/show/terminal/terminal.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/system_call.h"
#include "train/config/utf8.h"

namespace attend {

namespace {
// Back to the first column and everything from there on erased (ECMA-48 EL).
constexpr std::string_view erase = "\r\x1b[K";

bool can_redraw(int descriptor) {
    const char* kind = std::getenv("TERM");
    return isatty(descriptor) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

void write_to(int descriptor, std::string_view bytes) {
    std::size_t done = 0;
    write_all(descriptor, bytes, done);  // where it fails there is no other place to say so
}
}  // namespace

Terminal::Terminal(int descriptor) : descriptor_(descriptor), live_(can_redraw(descriptor)) {}

int Terminal::columns() const {
    winsize size{};
    if (ioctl(descriptor_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

void Terminal::print(std::string_view line) {
    const std::lock_guard lock(mutex_);
    // One write, so that lines of several processes on one terminal are not mixed.
    write_to(descriptor_, fmt::format("{}{}\n{}", line_.empty() ? "" : erase, utf8::shown(line), line_));
}

void Terminal::show(std::string_view line) {
    if (!live_)
        return;
    const auto room = static_cast<std::size_t>(std::max(1, columns()) - 1);
    const std::string text = utf8::shown(line.substr(0, room), utf8::LineFeeds::escaped);
    const std::lock_guard lock(mutex_);
    if (line_ == text)
        return;
    line_ = text;
    write_to(descriptor_, std::string(erase) + line_);
}

}  // namespace attend
