#include "data/text/token_ids.h"

#include <algorithm>
#include <cstring>

#include "core/memory.h"
#include "core/own_files.h"
#include "core/random.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

constexpr std::size_t ending_bytes = 512;

std::string ending(std::size_t width, int64_t count, uint32_t crc, const std::string& key) {
    std::string text = fmt::format("attend ids 1: {} {} {:08x} {}", width, count, crc, key);
    ensure(text.size() <= ending_bytes, "token ids: key is too long: ending of {} bytes, room for {}", text.size(),
           ending_bytes);
    text.resize(ending_bytes, ' ');
    return text;
}

}  // namespace

int64_t TokenIds::size() const {
    if (mapped_)
        return mapped_size_;
    return static_cast<int64_t>(narrow_ ? two_bytes_.size() : four_bytes_.size());
}

void TokenIds::add(std::span<const int32_t> ids) {
    ensure(!mapped_, "token ids: mapped ids do not grow: there are {}, to add {}", size(), ids.size());
    const std::size_t bytes = (static_cast<std::size_t>(size()) + ids.size()) * width();
    require(bytes <= memory::physical() / 2,
            "data.cache: the ids of the text fill half of the memory: {} MiB of {} MiB; name a folder for them", bytes >> 20,
            memory::physical() >> 20);
    if (narrow_)
        std::ranges::transform(ids, std::back_inserter(two_bytes_), [](int32_t id) { return static_cast<uint16_t>(id); });
    else
        four_bytes_.insert(four_bytes_.end(), ids.begin(), ids.end());
}

void TokenIds::copy(int64_t begin, int64_t count, int32_t* to) const {
    require(begin >= 0 && count >= 0 && begin <= size() - count, "token ids: out of range: ids [{}, {}), there are {}", begin,
            begin + count, size());
    const std::byte* const mapped = mapped_ ? mapped_->bytes().data() : nullptr;
    if (narrow_)
        std::copy_n((mapped ? reinterpret_cast<const uint16_t*>(mapped) : two_bytes_.data()) + begin, count, to);
    else
        std::copy_n((mapped ? reinterpret_cast<const int32_t*>(mapped) : four_bytes_.data()) + begin, count, to);
}

// Whether the file is whole and of this key; then its ids are these.
bool TokenIds::map(const std::filesystem::path& file, const std::string& key) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored))
        return false;
    auto mapped = std::make_shared<const MappedFile>(file);
    if (mapped->size() < ending_bytes || (mapped->size() - ending_bytes) % width() != 0)
        return false;
    const std::size_t data = mapped->size() - ending_bytes;
    const auto count = static_cast<int64_t>(data / width());
    // The CRC of what is read, not of the mapping: that would bring every page of it into memory.
    const std::string expected = ending(width(), count, crc32_of_file(file, data).crc32, key);
    if (std::memcmp(mapped->bytes().data() + data, expected.data(), ending_bytes) != 0)
        return false;
    mapped->expect_random_access();
    mapped_ = std::move(mapped);
    mapped_size_ = count;
    file_ = file;
    return true;
}

TokenIds TokenIds::cached(const std::filesystem::path& folder, const std::string& key, int64_t vocabulary,
                          FunctionRef<void(FunctionRef<void(std::span<const int32_t>)>)> produce) {
    std::error_code code;
    std::filesystem::create_directories(folder, code);
    if (code)
        fail_to_write(folder, "folder for ids cannot be made", code.value());
    TokenIds ids(vocabulary);
    const std::filesystem::path file = folder / fmt::format("{:016x}.ids", hash_name(key));
    if (ids.map(file, key))
        return ids;
    remove_abandoned_files(folder);  // as large as they are, and nobody else looks for them
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
        });
        out.write(ending(ids.width(), count, crc, key));
    });
    require(ids.map(file, key), "{}: ids were changed while they were written: key '{}', bytes {}", file.string(), key,
            std::filesystem::file_size(file, code));
    return ids;
}

}  // namespace attend::inline ATTEND_PRECISION
