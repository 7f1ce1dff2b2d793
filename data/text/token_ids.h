#pragma once
/// The ids of a corpus, two bytes each where the vocabulary allows: in memory, or in a file that is
/// read where it is needed, so that a corpus may be larger than memory.
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/function_ref.h"
#include "core/base/open_file.h"

namespace attend {

class TokenIds {
  public:
    /// No ids yet, of a vocabulary of that size; in memory. `unknown` is the id that stands for
    /// what is not in the vocabulary.
    explicit TokenIds(int64_t vocabulary = 0, std::optional<int32_t> unknown = {})
        : narrow_(vocabulary <= int64_t{1} << 16), unknown_id_(unknown) {}

    int64_t size() const;
    /// How many of them are the unknown id.
    int64_t unknown() const { return unknown_; }
    /// Throws Error when the ids fill more than half of the machine's memory, and MachineError when
    /// they are in a file.
    void add(std::span<const int32_t> ids);
    /// Ids [begin, begin + count) to `to`. Throws Error unless they are there, and MachineError
    /// when their file was shortened.
    void copy(int64_t begin, int64_t count, int32_t* to) const;
    /// The file they are read from, empty when they are in memory.
    std::filesystem::path file() const { return in_file_ ? in_file_->path() : std::filesystem::path(); }

    /// The ids in a file of `folder` that was written for the same `key` and has not changed since
    /// (its CRC-32); otherwise what `produce` gives to its argument, written there first, piece by
    /// piece. The file is a cache: one that is broken or of another key is replaced. The folder is
    /// made where it is missing; throws Error or MachineError when it or the file cannot be
    /// written.
    ///
    /// The file: the ids, of two or four bytes each in this machine's order, then 512 bytes:
    /// "attend ids 2: ", bytes of an id, count, how many are unknown, CRC-32 of the ids and the
    /// key, with blanks between them and after them.
    static TokenIds cached(const std::filesystem::path& folder, const std::string& key, int64_t vocabulary,
                           std::optional<int32_t> unknown,
                           FunctionRef<void(FunctionRef<void(std::span<const int32_t>)>)> produce);

  private:
    bool open(const std::filesystem::path& file, const std::string& key);
    void count_unknown(std::span<const int32_t> ids);
    std::size_t width() const { return narrow_ ? 2 : 4; }

    bool narrow_;
    std::optional<int32_t> unknown_id_;
    int64_t unknown_ = 0;
    std::vector<uint16_t> two_bytes_;
    std::vector<int32_t> four_bytes_;
    std::shared_ptr<const OpenFile> in_file_;
};

}  // namespace attend
