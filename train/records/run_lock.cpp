#include "train/records/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/own_files.h"

namespace attend {

namespace {

bool same(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

// Whether the name still belongs to the open file: a run that ends removes it, maybe between our
// opening and locking it.
bool still_named(const std::filesystem::path& file, int descriptor) {
    struct stat named = {}, open = {};
    return ::lstat(file.c_str(), &named) == 0 && ::fstat(descriptor, &open) == 0 && same(named, open);
}

// How often something is tried that others can undo at the same moment.
constexpr int most_attempts = 100;

// 0, or the error number. Who only asks whether somebody holds it (lock_holder) has it for a
// moment.
int lock_exclusively(int descriptor) {
    constexpr int attempts = 10;
    for (int attempt = 1;; ++attempt) {
        const int code = uninterrupted([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); }) == 0 ? 0 : errno;
        if (code != EWOULDBLOCK || attempt == attempts)
            return code;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

// What a run writes into the file: its process's id and a line feed. "" for anything else.
std::string holder_of(int descriptor) {
    char text[32] = {};
    const ssize_t n = uninterrupted([&] { return ::pread(descriptor, text, sizeof text, 0); });
    std::string id(text, n > 0 ? static_cast<std::size_t>(n) : 0);
    if (id.size() < 2 || id.find_first_not_of("0123456789") != id.size() - 1 || id.back() != '\n')
        return {};
    id.pop_back();
    return id;
}

// The open file and whether this call made it; -1 where a link stands there.
std::pair<Descriptor, bool> open_lock(const std::filesystem::path& file) {
    const auto open = [&](int flags) {
        constexpr int always = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
        return Descriptor(uninterrupted([&] { return ::open(file.c_str(), always | flags, 0666); }));
    };
    for (int attempt = 1;; ++attempt) {
        Descriptor descriptor = open(O_CREAT | O_EXCL);
        int code = errno;
        if (descriptor.get() >= 0)
            return {std::move(descriptor), true};
        if (code == EEXIST) {
            descriptor = open(0);
            code = errno;
            if (descriptor.get() >= 0 || code == ELOOP)
                return {std::move(descriptor), false};
        }
        if (code != ENOENT || attempt == most_attempts)  // else it has gone between the two calls
            fail_to_write(file, "the run's folder cannot be written to", code);
    }
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& folder) : folder_(folder), file_(folder / ".lock") {
    opened_folder_ = Descriptor(uninterrupted([&] { return ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); }));
    const int code = errno;
    if (opened_folder_.get() < 0)
        fail_to_write(folder, "the run's folder cannot be opened", code);
    lock_file();
}

void RunLock::lock_file() {
    for (int attempt = 1;; ++attempt) {
        ensure(attempt <= most_attempts, "{}: the lock is replaced as often as it is opened: attempts {}, limit {}",
               file_.string(), attempt - 1, most_attempts);
        auto [opened, made] = open_lock(file_);
        const int descriptor = opened.get();
        if (descriptor < 0) {
            if (const int code = remove_file(file_); code != 0)  // the link, not what it leads to
                fail_to_write(file_, "a link in the place of the lock cannot be removed", code);
            continue;
        }
        const int refused = lock_exclusively(descriptor);
        const std::string holder = holder_of(descriptor);
        struct stat status {};
        const bool known = ::fstat(descriptor, &status) == 0;
        require(!known || S_ISREG(status.st_mode),
                "{}: a lock is needed and a pipe or device is there; move it or give another --out", file_.string());
        require(refused != EWOULDBLOCK,
                "{}: another process trains in this folder: process {} has locked {}, this is process {}; wait for its end or "
                "give another --out",
                folder_.string(), holder.empty() ? "unknown" : holder, file_.filename().string(), ::getpid());
        const bool second_name = known && status.st_nlink > 1 && !holder.empty();
        // Of a lock elsewhere, which stays as it is.
        if (const int code = second_name ? remove_file(file_) : 0; code != 0)
            fail_to_write(file_, "a second name in the place of the lock cannot be removed", code);
        if (second_name || (refused == 0 && !still_named(file_, descriptor)))
            continue;
        descriptor_ = std::move(opened);
        ours_ = made || !holder.empty();
        const std::string id = fmt::format("{}\n", ::getpid());
        // Only the message of a refused run reads it, which can do without.
        if (ours_ && uninterrupted([&] { return ::ftruncate(descriptor, 0); }) == 0)
            (void)!uninterrupted([&] { return ::pwrite(descriptor, id.data(), id.size(), 0); });
        return;
    }
}

void RunLock::check_claim() const {
    if (claim_.empty())
        return;
    const Descriptor file(
        uninterrupted([&] { return ::open(claim_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); }));
    const std::string lost = loss_of_claim(claim_, file.get(), errno);
    ensure(lost.empty(), "{}: the claim on this run is lost, another process continues it: {}; nothing more is written",
           folder_.string(), lost);
}

void RunLock::check_folder() const {
    check_claim();
    if (opened_folder_.get() < 0)
        return;
    struct stat named = {}, held = {};
    const int code = ::stat(folder_.c_str(), &named) == 0 ? 0 : errno;
    const bool known = ::fstat(opened_folder_.get(), &held) == 0;
    ensure(
        code == 0 && known && same(named, held),
        "{}: the run's folder was removed, renamed or replaced while it was trained in: folder number {} at the start, now {}; "
        "where it was only moved, move it back and use --resume",
        folder_.string(), held.st_ino, code == 0 ? std::to_string(named.st_ino) : reason_of(code));
    ensure(!ours_ || kind_of(file_) == Kind::missing || still_named(file_, descriptor_.get()),
           "{}: another process has locked this folder since: .lock was removed and made again while process {} trained",
           folder_.string(), ::getpid());
}

RunLock::~RunLock() {
    if (ours_ && still_named(file_, descriptor_.get()))
        ::unlink(file_.c_str());  // while it is locked: nobody else can hold a file of this name
}

RunLock::RunLock(RunLock&& other) noexcept { *this = std::move(other); }
RunLock& RunLock::operator=(RunLock&& other) noexcept {
    std::swap(folder_, other.folder_);
    std::swap(file_, other.file_);
    std::swap(claim_, other.claim_);
    std::swap(opened_folder_, other.opened_folder_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(ours_, other.ours_);
    return *this;
}

std::string loss_of_claim(const std::filesystem::path& claim, int descriptor, int code) {
    if (descriptor < 0)
        return code == ENOENT || code == ESTALE || code == ENOTDIR ? reason_of(code) : "";
    const std::string name = claim.filename().string();
    std::string text(name.size(), '\0');
    const ssize_t n = uninterrupted([&] { return ::pread(descriptor, text.data(), text.size(), 0); });
    return n < 0 || text == name ? "" : "the file begins with another name";
}

std::string lock_holder(const std::filesystem::path& folder) {
    const Descriptor file(
        uninterrupted([&] { return ::open((folder / ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); }));
    if (file.get() < 0 || uninterrupted([&] { return ::flock(file.get(), LOCK_SH | LOCK_NB); }) == 0 || errno != EWOULDBLOCK)
        return {};
    const std::string holder = holder_of(file.get());
    return holder.empty() ? "unknown" : holder;
}

}  // namespace attend
