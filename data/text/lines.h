#pragma once
/// Text files as lines, plain or packed.
#include <string>

#include "data/packed.h"
#include "data/text/unpacking.h"

namespace attend {

/// How much a reader accepts.
struct LineLimits {
    int64_t line_bytes = int64_t{1} << 20;  ///< longest line
    int64_t file_bytes = int64_t{1} << 32;  ///< whole text, unpacked; at most a quarter of the memory
    int64_t lines = int64_t{1} << 28;       ///< at most one for 32 bytes of the memory
};

/// Opens a file that a config names. Throws Error naming it when it is missing (with `hint` after
/// the message), a folder, a pipe or a device, or cannot be opened.
UnpackingReader open_text(const std::string& file, const std::string& hint);

/// The lines of a file without their ends (LF or CR LF); a last line without an end counts. A UTF-8
/// byte order mark at the beginning is not text and is left out, packed files are unpacked
/// (UnpackingReader). Any bytes are allowed, but for what is plainly no text of bytes (text_begin):
/// who cuts lines into symbols checks them. Throws Error as open_text() and UnpackingReader::read()
/// do, and for a file that is empty or over a limit (naming the line).
Texts read_lines(const std::string& file, const LineLimits& limits = {}, const std::string& hint = "");

}  // namespace attend
