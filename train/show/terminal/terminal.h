#pragma once
/// Standard error shared by lines that stay (log) and one live line below them that is drawn again
/// and again (progress).
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/integers.h"

namespace attend {

/// Texts are written as utf8::shown() has them: names and symbols of files have no power over the
/// terminal. Safe to use from several threads. Failing writes are ignored: there is no other place
/// to report them.
class Terminal {
  public:
    /// Over the file descriptor, by default standard error. Does not own it.
    explicit Terminal(int descriptor = 2);
    /// Removes the live line.
    ~Terminal() { show(""); }

    /// Whether a line can be drawn again: a terminal, and not a dumb one (TERM).
    bool live() const { return live_; }
    /// Columns now (the window may change), of which the live line has all but the last: writing
    /// into that one makes some terminals begin a new line. 80 where they are not known.
    int columns() const;

    /// Writes a line that stays, above the live line. The line feed is added.
    void print(std::string_view line);
    /// Replaces the live line; "" removes it. Nothing where not live(). What does not fit is cut.
    void show(std::string_view line);

  private:
    int descriptor_;
    bool live_;
    std::mutex mutex_;
    std::string line_;
};

}  // namespace attend
