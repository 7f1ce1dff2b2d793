#pragma once
/// Event files, as TensorBoard and other readers of TensorFlow's format know them: a file of
/// records, each an Event message (tensorboard.proto). The first event names the version; every
/// line of metrics becomes one event of scalars, tagged "split/name".
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/line_file.h"
#include "train/records/record_reader.h"

namespace attend {

/// CRC-32C (Castagnoli; RFC 3720, B.4).
uint32_t crc32c_of(std::string_view bytes);

/// One record of a TFRecord file, numbers little-endian:
///
///     uint64 length    uint32 mask(crc32c(length))    byte data[length]    uint32 mask(crc32c(data))
///     mask(c) = (c rotated right by 15 bits) + 0xa282ead8
std::string tfrecord(std::string_view data);

class EventFile {
  public:
    /// Begins the file. With `resumed_after`, the number of steps after which the run continues,
    /// its second event is the start of a session at the next step: of what other files of the
    /// folder say, readers drop the steps from there on. Throws Error when the file cannot be
    /// opened, MachineError when it cannot be written.
    explicit EventFile(const std::filesystem::path& path, std::optional<int64_t> resumed_after = {});
    /// One event with all numbers of a line of metrics.jsonl, which also has "step" and "split";
    /// numbers become float32, "nan" and "inf" included. The system has it before the call returns.
    /// Throws MachineError when it cannot be written.
    void append(const RecordReader& line);
    /// Brings all events to the disk. Throws MachineError when that fails.
    void synchronise() { file_.synchronise(); }

  private:
    LineFile file_;
};

}  // namespace attend
