#include "train/study/compare/claims.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "core/base/files.h"
#include "core/base/own_files.h"
#include "core/base/system_call.h"
#include "train/records/run_lock.h"

namespace attend::compare {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view half_made = ".new-";
constexpr std::size_t largest_claim = 4096;

// The text of a small file; none where it cannot be read, as it has gone.
std::optional<std::string> small_text(const fs::path& path) {
    const Descriptor file(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); }));
    if (file.get() < 0)
        return std::nullopt;
    std::string text(largest_claim, '\0');
    const ssize_t n = uninterrupted([&] { return ::pread(file.get(), text.data(), text.size(), 0); });
    if (n < 0)
        return std::nullopt;
    text.resize(static_cast<std::size_t>(n));
    return text;
}

std::string link_text(const char* path) {
    char text[256];
    const ssize_t n = ::readlink(path, text, sizeof text);
    return {text, n > 0 ? static_cast<std::size_t>(n) : 0};
}

// Which start of which machine, and which space of process numbers: containers on a machine have
// their own.
const std::string& machine_name() {
    static const std::string name = [] {
        const std::string text = small_text("/proc/sys/kernel/random/boot_id").value_or("") + " " +
                                 link_text("/proc/self/ns/pid") + " " + host_name();
        return fmt::format("{:08x}", crc32_of(std::as_bytes(std::span(text))));
    }();
    return name;
}

std::string new_id() {
    uint64_t token = 0;
    ensure(::getrandom(&token, sizeof token, 0) == sizeof token, "claims: the system gives no random numbers: error {}", errno);
    return fmt::format("{}-{}-{}-{:016x}", host_name(), machine_name(), ::getpid(), token);
}

Holder holder_of(const std::string& id) {
    Holder h{.id = id, .host = id, .machine = "", .process = 0, .text = ""};
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= id.size();) {
        const std::size_t end = std::min(id.find('-', begin), id.size());
        parts.push_back(id.substr(begin, end - begin));
        begin = end + 1;
    }
    if (parts.size() != 4)
        return h;
    h.host = parts[0];
    h.machine = parts[1];
    const std::string& number = parts[2];
    if (!number.empty() && number.size() < 10 && number.find_first_not_of("0123456789") == std::string::npos)
        h.process = std::stoi(number);
    return h;
}

// Always as long, so that each replaces the one before.
std::string claim_text(const std::string& id, int64_t count) { return fmt::format("{}\n{:019}\n", id, count); }

// The only name in a claim's folder; "" where there is none.
std::string first_name(const fs::path& folder) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        return entry->path().filename().string();
    return "";
}

// 0, or the error number.
int write_new(const fs::path& path, std::string_view text) {
    Descriptor file(uninterrupted([&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }));
    int code = file.get() < 0 ? errno : 0;
    std::size_t done = 0;
    if (code == 0)
        code = write_all(file.get(), text, done);
    if (const int closed = file.close(); code == 0)
        code = closed;
    return code;
}

// Whoever finds everything done removes the folder, so that what is made in it may have to be made again.
constexpr int most_attempts = 100;

}  // namespace

std::string host_name() {
    char text[65] = {};
    ::gethostname(text, sizeof text - 1);
    std::string name(text);
    for (char& c : name)
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '.')
            c = '_';
    return name.empty() || name.front() == '.' ? "_" + name : name;
}

Claim::Claim(Claim&& other) noexcept : file_(std::move(other.file_)), count_(other.count_) { other.file_.clear(); }
Claim& Claim::operator=(Claim&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(count_, other.count_);
    return *this;
}

// Opened each time: a network file system asks its server then, and brings what was written there
// on closing.
bool Claim::renew() {
    if (file_.empty())
        return false;
    Descriptor file(uninterrupted([&] { return ::open(file_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW); }));
    const std::string lost = loss_of_claim(file_, file.get(), errno);
    // One that has just been taken over still says the old owner's name.
    if (!lost.empty() && (file.get() < 0 || count_ > 0))
        return false;
    if (file.get() < 0)
        return true;
    const std::string text = claim_text(file_.filename().string(), ++count_);
    (void)!uninterrupted([&] { return ::pwrite(file.get(), text.data(), text.size(), 0); });  // a full disk is no loss
    return true;
}

void Claim::give_back() {
    if (file_.empty())
        return;
    ::unlink(file_.c_str());
    ::rmdir(file_.parent_path().c_str());  // fails where another's claim is in it by now
    file_.clear();
}

std::string Holder::shown() const { return process > 0 ? fmt::format("{}, process {}", host, process) : host; }

std::optional<Claim> Claims::take(const std::string& name) const {
    const fs::path claim = folder_ / name;
    if (!first_name(claim).empty())
        return std::nullopt;
    const std::string id = new_id();
    const fs::path made = folder_ / (std::string(half_made) + id);
    for (int attempt = 1;; ++attempt) {
        make_folder(folder_);
        int code = ::mkdir(made.c_str(), 0777) == 0 ? 0 : errno;
        if (code == 0)
            code = write_new(made / id, claim_text(id, 0));
        if (code == 0)
            break;
        ::unlink((made / id).c_str());
        ::rmdir(made.c_str());
        if (code != ENOENT || attempt == most_attempts)
            fail_to_write(made / id, "a claim cannot be made", code);
    }
    if (::rename(made.c_str(), claim.c_str()) == 0)
        return Claim(claim / id);
    const int code = errno;
    ::unlink((made / id).c_str());
    ::rmdir(made.c_str());
    if (code != ENOTEMPTY && code != EEXIST && code != ENOENT)
        fail_to_write(claim, "a claim cannot be made", code);
    return std::nullopt;
}

std::optional<Claim> Claims::take_over(const std::string& name, const Holder& old) const {
    const fs::path claim = folder_ / name;
    const std::string id = new_id();
    if (::rename((claim / old.id).c_str(), (claim / id).c_str()) != 0) {
        const int code = errno;
        if (code != ENOENT && code != ENOTDIR)
            fail_to_write(claim / id, "a claim cannot be taken over", code);
        return std::nullopt;
    }
    Claim mine(claim / id);
    return mine.renew() ? std::optional(std::move(mine)) : std::nullopt;  // writes its name into it
}

std::optional<Holder> Claims::holder(const std::string& name) const {
    const std::string id = first_name(folder_ / name);
    if (id.empty())
        return std::nullopt;
    Holder h = holder_of(id);
    h.text = small_text(folder_ / name / id).value_or("");
    return h;
}

void Claims::mark_failed(const std::string& name, const std::string& message) const {
    for (int attempt = 1;; ++attempt) {
        make_folder(folder_);
        try {
            write_file_atomically(mark(name), new_id() + "\n" + message + "\n");
            return;
        } catch (const Error&) {  // the folder was removed: MachineError for all that waiting does not help
            if (attempt == most_attempts)
                throw;
        }
    }
}

void Claims::remove_mark(const std::string& name) const { remove_file(mark(name)); }

std::optional<Claims::Failure> Claims::failure(const std::string& name) const {
    const std::optional<std::string> text = small_text(mark(name));
    if (!text)
        return std::nullopt;
    const std::size_t end = std::min(text->find('\n'), text->size());
    std::string message = text->substr(std::min(end + 1, text->size()));
    while (!message.empty() && message.back() == '\n') message.pop_back();
    return Failure{text->substr(0, end), message};
}

void Claims::tidy() const {
    std::vector<fs::path> all;
    std::error_code error;
    for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error))
        all.push_back(entry->path());
    for (const fs::path& path : all) {
        const std::string name = path.filename().string();
        const bool half = name.starts_with(half_made);
        const std::string id = half ? name.substr(half_made.size()) : first_name(path);
        const bool ended = Watch::has_ended(holder_of(id));
        if (ended)  // a run may have come to its end after its owner did
            ::unlink((path / id).c_str());
        if (ended || !half)         // one that is being made is empty for a moment
            ::rmdir(path.c_str());  // fails for what has something in it, and for files
    }
    ::rmdir(folder_.c_str());
}

bool Watch::has_ended(const Holder& holder) {
    return holder.process > 0 && holder.machine == machine_name() && ::kill(holder.process, 0) != 0 && errno == ESRCH;
}

Watch::Life Watch::look(const std::string& name, const Holder& holder, Clock::time_point now) {
    Seen& seen = seen_[name];
    if (seen.id != holder.id || seen.text != holder.text)
        seen = {holder.id, holder.text, now, seen.id == holder.id};
    if (has_ended(holder))
        return Life::ended;
    return now - seen.since >= silence_ ? Life::silent : seen.changed ? Life::alive : Life::unsure;
}

}  // namespace attend::compare
