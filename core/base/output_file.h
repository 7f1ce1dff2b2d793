#pragma once
/// A file that the user named.
#include <filesystem>
#include <string_view>

namespace attend {

/// Writes `contents` to where `path` leads. A link is followed: the file that it points to is
/// replaced (or made), atomically as by write_file_atomically(). What is no regular file, as a pipe
/// or a device, is written into, and so is a descriptor of this process (/dev/stdout, /dev/fd/N).
/// Throws as write_file_atomically().
void write_output_file(const std::filesystem::path& path, std::string_view contents);

}  // namespace attend
