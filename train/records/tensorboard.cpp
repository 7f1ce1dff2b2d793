#include "train/records/tensorboard.h"

#include <isa-l/crc.h>
#include <tensorboard.pb.h>

#include <bit>
#include <chrono>
#include <limits>

namespace attend {

namespace {

constexpr const char* file_version = "brain.Event:2";

template <class T>
std::string little_endian(T value) {
    std::string bytes;
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xff));
    return bytes;
}

std::string masked_crc(std::string_view bytes) {
    return little_endian(static_cast<uint32_t>(std::rotr(crc32c_of(bytes), 15) + 0xa282ead8U));
}

attend_events::Event event_now(int64_t step) {
    attend_events::Event event;
    event.set_wall_time(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
    event.set_step(step);
    return event;
}

std::string record_of(const attend_events::Event& event) { return tfrecord(event.SerializeAsString()); }

}  // namespace

uint32_t crc32c_of(std::string_view bytes) {
    uint32_t crc = ~0U;
    for (constexpr std::size_t most = std::numeric_limits<int>::max(); !bytes.empty();) {
        const std::string_view piece = bytes.substr(0, most);
        // The library takes a pointer to what it only reads.
        auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(piece.data()));
        crc = crc32_iscsi(data, static_cast<int>(piece.size()), crc);
        bytes.remove_prefix(piece.size());
    }
    return ~crc;
}

std::string tfrecord(std::string_view data) {
    const std::string length = little_endian(static_cast<uint64_t>(data.size()));
    return length + masked_crc(length) + std::string(data) + masked_crc(data);
}

EventFile::EventFile(const std::filesystem::path& path, std::optional<int64_t> resumed_after) : file_(path) {
    attend_events::Event first = event_now(0);
    first.set_file_version(file_version);
    file_.append(record_of(first));
    if (resumed_after) {
        attend_events::Event start = event_now(*resumed_after + 1);
        start.mutable_session_log()->set_status(attend_events::SessionLog::START);
        file_.append(record_of(start));
    }
}

void EventFile::append(const RecordReader& line) {
    attend_events::Event event = event_now(line.integer("step"));
    const std::string split = line.text("split");
    for (const std::string& name : line.names()) {
        if (name == "step" || name == "split")
            continue;
        attend_events::Summary::Value& scalar = *event.mutable_summary()->add_value();
        scalar.set_tag(fmt::format("{}/{}", split, name));
        scalar.set_simple_value(static_cast<float>(line.number(name)));
    }
    file_.append(record_of(event));
}

}  // namespace attend
