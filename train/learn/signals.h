#pragma once

namespace attend {

/// While one exists, the first SIGINT or SIGTERM is noted and the second ends the process at once
/// with code 128 + signal. One at a time.
class StopSignals {
  public:
    StopSignals();
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    /// The signal that came, 0: none.
    static int received();
};

}  // namespace attend
