#pragma once
#include <utility>

namespace attend {

/// Gives a variable another value while it exists.
template <class T>
class Temporary {
  public:
    Temporary(T& variable, T value) : variable_(variable), before_(std::exchange(variable, value)) {}
    ~Temporary() { variable_ = before_; }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;

  private:
    T& variable_;
    T before_;
};

}  // namespace attend
