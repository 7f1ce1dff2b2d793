#pragma once

namespace attend {

/// Whether a matrix is read as it is or with rows and columns exchanged.
enum class Transpose { no, yes };

}  // namespace attend
