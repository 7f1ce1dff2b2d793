#pragma once
/// Files of this program in folders that may contain other people's too: known by exact names, and
/// never reached through a link.
#include <filesystem>
#include <string>
#include <string_view>

namespace attend {

/// What is at a path itself: a link is a link, wherever it leads.
enum class Kind { missing, file, folder, link, other };
/// Throws Error when the system does not say.
Kind kind_of(const std::filesystem::path& path);
/// "nothing", "a file", "a folder", "a link", "a pipe, a socket or a device".
const char* kind_name(Kind kind);

/// A name in the same folder for what will be renamed to `path` when it is whole:
/// ".NAME.attend-partial-PROCESS-NUMBER". Every call gives another.
std::filesystem::path partial_path(const std::filesystem::path& path);
/// NAME where `name` is one that partial_path() gave in a process that has ended since; "" for all
/// other names, and for those that this process gave.
std::string abandoned_name(std::string_view name);

/// Makes the folder where nothing is; the folder above must be there. Throws as require_folder()
/// where something else is, and as fail_to_write().
void make_folder(const std::filesystem::path& path);
/// Throws Error unless a folder is there, or nothing; a link to a folder is a link.
void require_folder(const std::filesystem::path& path);

/// Removes a file, or a link and not what it leads to. Other kinds stay. 0, or the system's error
/// number; 0 where there was nothing to remove.
int remove_file(const std::filesystem::path& path);
/// Removes a folder that is empty; one that is not, a link, and all other kinds stay. 0, or the
/// system's error number, for another reason than that it is not empty.
int remove_empty_folder(const std::filesystem::path& path);
/// Removes the files and links of `folder` that have a name of partial_path() and were left by
/// processes that have ended. In a folder without a lock only those older than a day: the process
/// may live on another machine, or in another container, that has the same folder.
enum class Guard { lock, none };
void remove_abandoned_files(const std::filesystem::path& folder, Guard guard);

/// Brings the names in a folder (files made, renamed, removed) to the disk. Throws MachineError
/// when that fails; some file systems cannot do it, and need not.
void synchronise_folder(const std::filesystem::path& folder);
/// fsync, again where a signal interrupts it: 0, or the system's error number.
int synchronise(int descriptor);

}  // namespace attend
