#pragma once
/// The operating system's errors about files, as our errors. std::filesystem functions that throw
/// are not called directly: where a path is looked at, the functions here are, whose errors name
/// the path first and are of class Error where the user can fix it.
#include <filesystem>
#include <string>

namespace attend {

/// Whether another name or other permissions would fix the error of that number (missing folder, no
/// permission, read-only file system, ...), and not only another machine (no space, no descriptors
/// left, input/output error, ...).
bool user_can_mend(int code);

/// "PATH: cannot be VERB: REASON" for what a std::filesystem function threw, in place of
/// "filesystem error: ... [a] [b]".
std::string message_of(const std::filesystem::filesystem_error& error);
/// The same for any exception: what() of all others.
std::string message_of(const std::exception& error);

/// What there is at a path, links followed. These throw Error "PATH: cannot be looked at: REASON"
/// when the system does not say (a name that is too long, links that lead in a circle, no
/// permission), which is not the same as nothing.
bool is_there(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);
bool is_regular(const std::filesystem::path& path);

/// Makes a folder and those above it where they are missing. Throws as fail_to_write()
/// (core/base/files.h).
void make_folders(const std::filesystem::path& folder);
/// Throws Error where the working folder cannot be found.
std::filesystem::path absolute_path(const std::filesystem::path& path);

}  // namespace attend
