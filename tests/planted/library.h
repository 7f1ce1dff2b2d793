#pragma once
/// An OpenBLAS that fails in ways that were seen. Its products stand before the real ones when a
/// program is linked; what is wrong with them says the environment (ATTEND_PLANTED), so that a
/// child process and a whole program can be told, too.
namespace planted {

/// "" (right, by plain loops), "wrong" (sums of long inner axes, in float alone), "wrong_double"
/// (those of small products that are transposed, in double), "signal" (ends by an illegal
/// instruction), "abort", "hang", "exit" (ends the process with 0).
inline constexpr const char* variable = "ATTEND_PLANTED";

}  // namespace planted
