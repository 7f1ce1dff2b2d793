#pragma once
/// A file that grows line by line, in a folder of ours.
#include <filesystem>
#include <string_view>

#include "core/base/system_call.h"

namespace attend {

/// Whether a file keeps its contents.
enum class LineStart { keep, empty };

/// Appends lines to a file. Every line is given to the system whole, before the call returns.
class LineFile {
  public:
    /// Opens the file, made where it is missing. A link at that place is replaced by a file with
    /// the contents of the one that it leads to, and so is a file that has other names too (hard
    /// links): what is appended reaches neither. Throws as fail_to_write() when the file cannot be
    /// opened for appending, Error where a pipe or a socket is there.
    explicit LineFile(std::filesystem::path path, LineStart start = LineStart::keep);
    /// The text as it is. Where the file was given another name meanwhile it is replaced by a copy
    /// first, as on opening. Throws MachineError with the reason when it cannot be written, and
    /// when the file was removed, renamed or replaced meanwhile.
    void append(std::string_view text);
    /// Brings what was appended to the disk. Throws MachineError when that fails.
    void synchronise();

  private:
    void open();
    std::filesystem::path path_;
    Descriptor file_;
};

}  // namespace attend
