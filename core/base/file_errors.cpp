#include "core/base/file_errors.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/base/error.h"
#include "core/base/files.h"

namespace attend {

namespace fs = std::filesystem;

bool user_can_mend(int code) {
    constexpr int codes[] = {EACCES, EPERM,        EROFS,     ENOENT,  ENOTDIR, EISDIR, EEXIST,
                             ELOOP,  ENAMETOOLONG, ENOTEMPTY, ETXTBSY, ENXIO,   EINVAL};
    return std::ranges::find(codes, code) != std::end(codes);
}

std::string message_of(const fs::filesystem_error& error) {
    // "filesystem error: WHAT: REASON [PATH1] [PATH2]", where WHAT is as "cannot create
    // directories" or the function's name.
    constexpr std::string_view head = "filesystem error: ";
    const std::string reason = error.code().message();
    std::string what = error.what();
    if (what.starts_with(head))
        what.erase(0, head.size());
    what.erase(std::min(what.find(": " + reason), what.size()));
    if (what == "status" || what == "symlink_status")
        what = "cannot be looked at";
    std::string message = error.path1().empty() ? std::string("files") : error.path1().string();
    message += ": " + what + ": " + reason;
    if (!error.path2().empty())
        message += ", other path " + error.path2().string();
    return message;
}

std::string message_of(const std::exception& error) {
    const auto* of_files = dynamic_cast<const fs::filesystem_error*>(&error);
    return of_files != nullptr ? message_of(*of_files) : error.what();
}

namespace {

fs::file_status status_of(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::status_known(status) || (error && status.type() != fs::file_type::not_found))
        fail("{}: cannot be looked at: {}", path.string(), error.message());
    return status;
}

}  // namespace

bool is_there(const fs::path& path) { return fs::exists(status_of(path)); }
bool is_folder(const fs::path& path) { return fs::is_directory(status_of(path)); }
bool is_regular(const fs::path& path) { return fs::is_regular_file(status_of(path)); }

void make_folders(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
        fail_to_write(folder, "the folder cannot be made", error.value());
}

fs::path absolute_path(const fs::path& path) {
    std::error_code error;
    fs::path result = fs::absolute(path, error);
    require(!error, "{}: cannot be made absolute: {}", path.string(), error.message());
    return result;
}

}  // namespace attend
