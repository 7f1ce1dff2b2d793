#pragma once
/// Stops long work: a signal handler notes the signal, and loops over files, lines and tokens ask
/// here whether to stop. A thread that was given nothing to ask is never interrupted.
#include <exception>

#include "core/base/function_ref.h"

namespace attend {

/// Thrown by interruption_point(). Neither an error of the user's nor of the machine's: nothing is
/// wrong.
class Interrupted : public std::exception {
  public:
    const char* what() const noexcept override { return "interrupted"; }
};

/// How work that may be interrupted ended.
enum class Ended { by_itself, interrupted };
/// Does `work`, whose interruption_point() ask `asked`, and says how it ended. Within another
/// interruptibly() the inner one counts.
Ended interruptibly(FunctionRef<bool()> asked, FunctionRef<void()> work);

/// Throws Interrupted where this thread has been told to end. Quick: for every line of a file, not
/// for every byte.
void interruption_point();

}  // namespace attend
