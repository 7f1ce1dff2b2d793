#pragma once
/// Whether the linked OpenBLAS can be relied on here. Debian's 0.3.21 is known to compute wrongly,
/// or to crash, with the kernels that it chooses on some newer processors; some environments pin it
/// to older ones (OPENBLAS_CORETYPE), most do not.
#include <filesystem>
#include <string>

namespace attend {

struct LibraryCheck {
    /// What went wrong, as "float product of 48 x 129 x 67, transposed no and yes: row 3, column 5:
    /// -12.5, expected 7"; empty where every product was right.
    std::string fault;
    bool lasting = true;      ///< says something of processor and library, not of this moment
    bool remembered = false;  ///< read from `memory`, not computed now

    bool sound() const { return fault.empty(); }
};

/// Computes products of a few shapes on both sides of the library's own limits (small-matrix
/// kernels, blocks of rows, of the inner axis), in float and double, with all transposes, and
/// compares them with plain loops; small integers make every sum exact. This is done in a child
/// process, so that a crash, or no end within two seconds, is a fault like any other. Call it
/// before the program starts a thread. Takes 2 to 5 ms. The result is kept in the folder `memory`
/// (made where it is missing) for this processor, this program and the kernels in use, and read
/// from there the next time; "" keeps nothing, and neither does a folder that cannot be written to.
/// A fault that may be the machine's (the child was killed, or was too slow) is not kept.
LibraryCheck check_library(const std::filesystem::path& memory);

/// The check of this process with the user's cache folder for memory, made at the first call.
const LibraryCheck& library_check();

}  // namespace attend
