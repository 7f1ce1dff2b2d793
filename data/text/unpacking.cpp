#include "data/text/unpacking.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/interruption.h"
#include "data/text/text_form.h"

namespace attend {

namespace {

// As many bytes as there are, up to text_form_bytes.
std::string head_of(ByteSource& source) {
    std::string head(text_form_bytes, '\0');
    std::size_t size = 0;
    while (size < head.size()) {
        const auto lines = std::ranges::count(std::string_view(head).substr(0, size), '\n');
        const std::size_t got = source.read(std::span(head).subspan(size), static_cast<std::size_t>(lines));
        if (got == 0)
            break;
        size += got;
    }
    head.resize(size);
    return head;
}

std::string hexadecimal(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) text += fmt::format("{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned char>(c));
    return text;
}

}  // namespace

std::span<const Packing> packings() {
    using std::string_view_literals::operator""sv;
    static constexpr Packing all[] = {{"gzip", ".gz", "\x1F\x8B"sv, gzip_source},
                                      {"xz", ".xz", "\xFD\x37zXZ\0"sv, archive_source},
                                      {"zstd", ".zst", "\x28\xB5\x2F\xFD"sv, archive_source},
                                      {"bzip2", ".bz2", "BZh"sv, archive_source}};
    return all;
}

void UnpackingReader::begin() {
    const std::string first = head_of(*plain_source(file_, opened_.get()));
    const Packing* packing = nullptr;
    for (const Packing& p : packings()) {
        // "BZh" can begin a text; the level and the magic of a block, or of the end, cannot.
        const bool sure = p.name != "bzip2" || (first.size() >= 10 && first[3] >= '1' && first[3] <= '9' &&
                                                (first.substr(4, 6) == "1AY&SY" || first.substr(4, 6) == "\x17rE8P\x90"));
        if (first.starts_with(p.magic) && sure)
            packing = &p;
        else if (!first.empty() && file_.ends_with(p.ending))
            fail("{}: name ends in {} but the content is not {}: first bytes {}", file_, p.ending, p.name,
                 hexadecimal(std::string_view(first).substr(0, 4)));
    }
    ::lseek(opened_.get(), 0, SEEK_SET);
    source_ = packing != nullptr ? packing->open(file_, opened_.get()) : plain_source(file_, opened_.get());
    head_ = head_of(*source_);
    used_ = text_begin(head_, file_);
}

std::size_t UnpackingReader::read(std::span<char> to, std::size_t lines) {
    interruption_point();
    if (source_ == nullptr)
        begin();
    if (used_ == head_.size())
        return source_->read(to, lines);
    const std::size_t n = std::min(to.size(), head_.size() - used_);
    std::copy_n(head_.data() + used_, n, to.data());
    used_ += n;
    return n;
}

}  // namespace attend
