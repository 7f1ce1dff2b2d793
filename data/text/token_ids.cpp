#include "data/text/token_ids.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/memory.h"
#include "core/base/own_files.h"
#include "core/base/random.h"

namespace attend {

namespace {

constexpr std::size_t ending_bytes = 512;

constexpr std::string_view ending_start = "attend ids 2: ";

std::string ending(std::size_t width, int64_t count, int64_t unknown, uint32_t crc, const std::string& key) {
    std::string text = fmt::format("{}{} {} {} {:08x} {}", ending_start, width, count, unknown, crc, key);
    ensure(text.size() <= ending_bytes, "token ids: key is too long: ending of {} bytes, room for {}", text.size(),
           ending_bytes);
    text.resize(ending_bytes, ' ');
    return text;
}

// The third number of an ending; where there is none, one that ending() does not give.
int64_t unknown_in(const std::string& ending) {
    std::istringstream numbers(ending.substr(ending_start.size()));
    int64_t width = 0, count = 0, unknown = -1;
    numbers >> width >> count >> unknown;
    return unknown;
}

}  // namespace

int64_t TokenIds::size() const {
    if (in_file_)
        return static_cast<int64_t>((in_file_->size() - ending_bytes) / width());
    return static_cast<int64_t>(narrow_ ? two_bytes_.size() : four_bytes_.size());
}

void TokenIds::count_unknown(std::span<const int32_t> ids) {
    if (unknown_id_)
        unknown_ += std::ranges::count(ids, *unknown_id_);
}

void TokenIds::add(std::span<const int32_t> ids) {
    ensure(!in_file_, "token ids: ids in a file do not grow: there are {}, to add {}", size(), ids.size());
    const std::size_t bytes = (static_cast<std::size_t>(size()) + ids.size()) * width();
    require(bytes <= memory::physical() / 2,
            "data.cache: the ids of the text fill half of the memory: {} MiB of {} MiB; name a folder for them", bytes >> 20,
            memory::physical() >> 20);
    if (narrow_)
        std::ranges::transform(ids, std::back_inserter(two_bytes_), [](int32_t id) { return static_cast<uint16_t>(id); });
    else
        four_bytes_.insert(four_bytes_.end(), ids.begin(), ids.end());
    count_unknown(ids);
}

void TokenIds::copy(int64_t begin, int64_t count, int32_t* to) const {
    require(begin >= 0 && count >= 0 && begin <= size() - count, "token ids: out of range: ids [{}, {}), there are {}", begin,
            begin + count, size());
    if (in_file_ && narrow_) {
        std::array<uint16_t, 4096> piece;
        for (int64_t done = 0; done < count;) {
            const auto some = std::min<int64_t>(count - done, piece.size());
            const std::span<uint16_t> part = std::span(piece).first(static_cast<std::size_t>(some));
            in_file_->read(static_cast<std::size_t>(begin + done) * sizeof(uint16_t), std::as_writable_bytes(part));
            std::ranges::copy(part, to + done);
            done += some;
        }
    } else if (in_file_) {
        in_file_->read(static_cast<std::size_t>(begin) * sizeof(int32_t),
                       std::as_writable_bytes(std::span(to, static_cast<std::size_t>(count))));
    } else if (narrow_) {
        std::copy_n(two_bytes_.data() + begin, count, to);
    } else {
        std::copy_n(four_bytes_.data() + begin, count, to);
    }
}

// Whether the file is whole and of this key; then its ids are these.
bool TokenIds::open(const std::filesystem::path& file, const std::string& key) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored))
        return false;
    auto opened = std::make_shared<const OpenFile>(file);
    if (opened->size() < ending_bytes || (opened->size() - ending_bytes) % width() != 0)
        return false;
    const std::size_t data = opened->size() - ending_bytes;
    const auto count = static_cast<int64_t>(data / width());
    std::string found(ending_bytes, '\0');
    opened->read(data, std::as_writable_bytes(std::span(found)));
    const int64_t unknown = unknown_in(found);
    if (unknown < 0 || unknown > count || found != ending(width(), count, unknown, crc32_of_file(file, data).crc32, key))
        return false;
    opened->expect_random_access();
    in_file_ = std::move(opened);
    unknown_ = unknown;
    return true;
}

TokenIds TokenIds::cached(const std::filesystem::path& folder, const std::string& key, int64_t vocabulary,
                          std::optional<int32_t> unknown,
                          FunctionRef<void(FunctionRef<void(std::span<const int32_t>)>)> produce) {
    make_folders(folder);
    TokenIds ids(vocabulary, unknown);
    const std::filesystem::path file = folder / fmt::format("{:016x}.ids", hash_name(key));
    if (ids.open(file, key))
        return ids;
    remove_abandoned_files(folder, Guard::none);  // as large as they are, and nobody else looks for them
    write_file_atomically(file, [&](FileWriter& out) {
        int64_t count = 0;
        uint32_t crc = 0;
        std::vector<uint16_t> narrow;
        produce([&](std::span<const int32_t> piece) {
            narrow.assign(piece.begin(), piece.end());
            const std::span<const std::byte> bytes =
                ids.narrow_ ? std::as_bytes(std::span<const uint16_t>(narrow)) : std::as_bytes(piece);
            out.write(bytes.data(), bytes.size());
            crc = crc32_of(bytes, crc);
            count += static_cast<int64_t>(piece.size());
            ids.count_unknown(piece);
        });
        out.write(ending(ids.width(), count, ids.unknown_, crc, key));
    });
    std::error_code unknown_size;
    require(ids.open(file, key), "{}: ids were changed while they were written: key '{}', bytes {}", file.string(), key,
            std::filesystem::file_size(file, unknown_size));
    return ids;
}

}  // namespace attend
