#pragma once
/// Files by name or by pattern.
#include <string>
#include <vector>

#include "core/base/error.h"

namespace attend {

/// The files that `path` means. A name that exists means itself. Otherwise * and ? stand for any
/// characters of a name and any one, [a-z] for one of a set (fnmatch of POSIX), and a folder's name
/// of two asterisks for any number of folders, also none; links to folders are not followed there.
/// What begins with a dot is found by a pattern that begins with one. Matches are regular files, in
/// ascending order of their bytes; there may be none. A name without such characters that does not
/// exist means itself too: who opens it says that it is missing. Throws Error for a folder that
/// cannot be read.
std::vector<std::string> matching_files(const std::string& path);

}  // namespace attend
