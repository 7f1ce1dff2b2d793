#pragma once
/// The objective whose gradient an estimator estimates. Does not use `real`, so reports can name
/// it.

namespace attend {

enum class Aim { expected, marginal, bound };
/// "expected", "marginal", "bound".
inline const char* aim_name(Aim aim) {
    switch (aim) {
        case Aim::expected:
            return "expected";
        case Aim::marginal:
            return "marginal";
        default:
            return "bound";
    }
}

}  // namespace attend
