#include "data/text/corpus.h"

#include <algorithm>
#include <cmath>

#include "core/base/files.h"
#include "core/base/random.h"
#include "data/text/lines.h"
#include "data/text/matching.h"
#include "data/text/unpacking.h"

namespace attend {

namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20;
constexpr std::size_t longest_piece = std::size_t{64} << 20;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Reads a file block by block until `take` says false.
template <class Take>
void read_blocks(const std::string& file, const std::string& hint, Take take) {
    UnpackingReader reader = open_text(file, hint);
    std::vector<char> block(block_bytes);
    std::size_t lines = 0;
    while (const std::size_t got = reader.read(block, lines)) {
        const std::string_view text(block.data(), got);
        if (!take(text))
            return;
        lines += static_cast<std::size_t>(std::ranges::count(text, '\n'));
    }
}

// Where the text may be cut in two for tokenizers: before the last line feed after a printing ASCII
// character; 0: nowhere. The first `known` bytes have no such place.
std::size_t last_cut(std::string_view text, std::size_t known) {
    for (std::size_t at = text.size(); at > std::max<std::size_t>(known, 1); --at)
        if (text[at - 1] == '\n' && at > 1 && text[at - 2] > ' ' && text[at - 2] < '\x7f')
            return at - 1;
    return 0;
}

// The last beginning of a character, 0 when there is none.
std::size_t last_character(std::string_view text) {
    std::size_t at = text.size() - 1;
    while (at > 0 && continues_character(text[at])) --at;
    return at;
}

}  // namespace

Corpus::Corpus(const std::vector<std::string>& names, const std::string& option, const std::string& hint) {
    for (const std::string& name : names) {
        const std::vector<std::string> found = matching_files(name);
        require(!found.empty(), "{}: no file matches: files 0, pattern '{}'; {}", option, name, hint);
        files_.insert(files_.end(), found.begin(), found.end());
    }
    for (const std::string& file : files_) {
        int64_t size = 0;
        read_blocks(file, hint, [&](std::string_view block) {
            size += static_cast<int64_t>(block.size());
            crc_ = crc32_of(std::as_bytes(std::span(block.data(), block.size())), crc_);
            return true;
        });
        sizes_.push_back(size);
        bytes_ += size;
    }
    require(bytes_ > 0, "{}: there is no text: files {}, bytes 0, needed at least 1", option, files_.size());
}

std::string Corpus::key() const {
    std::string ends;
    for (int64_t size : sizes_) ends += fmt::format("{} ", size);
    return fmt::format("{}-{:08x}-{:016x}", bytes_, crc_, hash_name(ends));
}

int64_t Corpus::cut(double fraction) const {
    int64_t at = static_cast<int64_t>(std::floor((1 - fraction) * static_cast<double>(bytes_)));
    bool inside = true;
    pieces(at, std::min(at + 3, bytes_), [&](std::string_view text, const Place&) {
        for (char c : text) {
            inside = inside && continues_character(c);
            at += inside ? 1 : 0;
        }
        inside = false;  // a character does not go on in another file
    });
    return at;
}

void Corpus::pieces(int64_t begin, int64_t end, FunctionRef<void(std::string_view, const Place&)> take) const {
    int64_t file_begin = 0;
    for (std::size_t f = 0; f < files_.size() && file_begin < end; ++f) {
        const int64_t file_end = file_begin + sizes_[f];
        int64_t at = file_begin, line = 1;
        std::string rest;
        const auto hand_out = [&](std::size_t size) {
            if (size == 0)
                return;
            const std::string_view piece = std::string_view(rest).substr(0, size);
            take(piece, Place{files_[f], line});
            line += std::ranges::count(piece, '\n');
            rest.erase(0, size);
        };
        if (file_end > begin)
            read_blocks(files_[f], "", [&](std::string_view block) {
                const auto size = static_cast<int64_t>(block.size());
                const int64_t skipped = std::clamp<int64_t>(begin - at, 0, size);
                const int64_t last = std::clamp<int64_t>(end - at, 0, size);
                line += std::count(block.begin(), block.begin() + skipped, '\n');
                const std::size_t known = rest.size();
                rest += block.substr(static_cast<std::size_t>(skipped), static_cast<std::size_t>(last - skipped));
                at += size;
                if (at >= end)
                    return false;
                const std::size_t place = last_cut(rest, known);
                hand_out(place == 0 && rest.size() >= longest_piece ? last_character(rest) : place);
                return true;
            });
        hand_out(rest.size());
        file_begin = file_end;
    }
}

}  // namespace attend
