#pragma once
/// Every op's output, one by one: finds the first op in which two passes differ.
#include "core/base/function_ref.h"
#include "core/base/trace.h"
#include "core/tensor.h"

namespace attend::ATTEND_PRECISION {

/// While one exists, this thread is in checked mode (trace::Checked), and `each` is told of every
/// op's name and output as it was made; trace::module() says where. `each` must outlive it.
class Followed {
  public:
    using Each = FunctionRef<void(const char* op, const Tensor& output)>;
    explicit Followed(const Each& each);

  private:
    trace::Checked checked_;
    Temporary<const Each*> here_;
};

}  // namespace attend::ATTEND_PRECISION
