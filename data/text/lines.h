#pragma once
/// Text files as lines; plain or gzip.
#include <string>

#include "data/packed.h"
#include "data/text/unpacking.h"

namespace attend::inline ATTEND_PRECISION {

/// How much a reader accepts.
struct LineLimits {
    int64_t line_bytes = int64_t{1} << 20;  ///< longest line
    int64_t file_bytes = int64_t{1} << 32;  ///< whole text, unpacked
};

/// Opens a file that a config names. Throws Error naming it when it is missing (with `hint` behind the message), a folder, or
/// cannot be opened.
UnpackingReader open_text(const std::string& file, const std::string& hint);

/// The lines of a file without their ends (LF or CR LF); a last line without an end counts. A UTF-8 byte order mark at the
/// beginning is not text and is left out. gzip files, told by their first bytes, are unpacked
/// (see UnpackingReader: several members may follow one another, zero bytes may follow them). Any bytes are allowed: who cuts
/// lines into symbols checks them.
/// Throws Error naming the file when it is missing (with `hint` behind the message), not a file, cannot be read, named .gz
/// without being gzip, broken or cut off, with something else behind the gzip data, empty, or over a limit (naming the line).
Texts read_lines(const std::string& file, const LineLimits& limits = {}, const std::string& hint = "");

}  // namespace attend::inline ATTEND_PRECISION
