#pragma once
/// The ids of a corpus, two bytes each where the vocabulary allows: in memory, or in a file that is mapped, so that a corpus
/// may be larger than memory.
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "core/files.h"
#include "core/function_ref.h"

namespace attend::inline ATTEND_PRECISION {

class TokenIds {
  public:
    /// No ids yet, of a vocabulary of that size; in memory.
    explicit TokenIds(int64_t vocabulary = 0) : narrow_(vocabulary <= int64_t{1} << 16) {}

    int64_t size() const;
    /// Throws Error when the ids fill more than half of the machine's memory, and MachineError when they are mapped.
    void add(std::span<const int32_t> ids);
    /// Ids [begin, begin + count) to `to`. Throws Error unless they are there.
    void copy(int64_t begin, int64_t count, int32_t* to) const;
    /// The file they are mapped from, empty when they are in memory.
    const std::filesystem::path& file() const { return file_; }

    /// The ids in a file of `folder` that was written for the same `key` and has not changed since (its CRC-32); otherwise what
    /// `produce` gives to its argument, written there first, piece by piece. The file is a cache: one that is broken or of
    /// another key is replaced. The folder is made where it is missing; throws Error or MachineError when it or the file cannot
    /// be written.
    ///
    /// The file: the ids, of two or four bytes each in this machine's order, then 512 bytes: "attend ids 1: ", bytes of an id,
    /// count, CRC-32 of the ids and the key, with blanks between them and behind them.
    static TokenIds cached(const std::filesystem::path& folder, const std::string& key, int64_t vocabulary,
                           FunctionRef<void(FunctionRef<void(std::span<const int32_t>)>)> produce);

  private:
    bool map(const std::filesystem::path& file, const std::string& key);
    std::size_t width() const { return narrow_ ? 2 : 4; }

    bool narrow_;
    std::vector<uint16_t> two_bytes_;
    std::vector<int32_t> four_bytes_;
    std::filesystem::path file_;
    std::shared_ptr<const MappedFile> mapped_;
    int64_t mapped_size_ = 0;
};

}  // namespace attend::inline ATTEND_PRECISION
