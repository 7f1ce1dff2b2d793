#pragma once
/// Which process has which run of a comparison, for processes on any machines that share its
/// folder. A claim is a file whose name says who has it, in a folder whose name says what:
///
///     DIR/.claims/soft,seed-3/HOST-MACHINE-PROCESS-TOKEN      it contains its own name and a counter
///
/// Nothing but rename() decides, which all file systems make atomic, network file systems too
/// (flock is not shared by all of them):
///   - take:       a folder with the file in it is made under another name and renamed to NAME. That fails where a folder
///                 with a file is there, so one process at most has the claim.
///   - take over:  the file of the old owner is renamed to that of the new one. Names are never used twice, so of all who
///                 want the claim of one old owner one succeeds, and nobody takes over from somebody else by mistake.
///   - give back:  the owner removes its own file.
/// An owner shows that it lives by counting: see Watch. Whoever writes for a claim asks before each
/// time whether the file is there: an owner that was suspended may have lost it.
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "train/config/clock.h"

namespace attend::compare {

/// How long somebody else's claim has to stay the same until it is taken over.
inline constexpr std::chrono::seconds default_silence{60};

/// What is claimed by a process that has the whole comparison for itself. No run is called so.
inline constexpr const char* alone_claim = "alone";
/// How often an owner shows that it lives.
inline constexpr std::chrono::milliseconds default_renew{2000};

/// This machine's name as claims have it: letters, digits, '.' and '_'.
std::string host_name();

/// A claim of this process. Given back at its end.
class Claim {
  public:
    explicit Claim(std::filesystem::path file) : file_(std::move(file)) {}
    ~Claim() { give_back(); }
    Claim(Claim&& other) noexcept;
    Claim& operator=(Claim&& other) noexcept;

    /// Counts on, so that others see that this process lives; false where the claim is lost.
    bool renew();
    void give_back();
    /// What is there as long as the claim is held.
    const std::filesystem::path& file() const { return file_; }

  private:
    std::filesystem::path file_;  // empty: none
    int64_t count_ = 0;
};

/// Who has a claim.
struct Holder {
    std::string id;       ///< the file's name
    std::string host;     ///< the machine's name
    std::string machine;  ///< which start of which machine, and which space of process numbers
    pid_t process = 0;
    std::string text;  ///< of the file
    /// "node7, process 4711"
    std::string shown() const;
};

class Claims {
  public:
    /// Those in DIR/.claims, which is made when the first is taken.
    explicit Claims(const std::filesystem::path& root) : folder_(root / ".claims") {}

    /// The claim; none where somebody has it. Throws as fail_to_write() (core/base/files.h).
    std::optional<Claim> take(const std::string& name) const;
    /// Takes it over from `old`; none where somebody else did, or where `old` gave it back.
    std::optional<Claim> take_over(const std::string& name, const Holder& old) const;
    /// Who has it; none: nobody.
    std::optional<Holder> holder(const std::string& name) const;

    /// A run that failed: what is written about it stays until it succeeds.
    void mark_failed(const std::string& name, const std::string& message) const;
    void remove_mark(const std::string& name) const;
    struct Failure {
        std::string id;  ///< of this failure: a later one has another
        std::string message;
    };
    std::optional<Failure> failure(const std::string& name) const;

    /// Removes what nobody needs when all runs are over: claims of processes of this machine that
    /// have ended; the folder itself when nothing else is in it.
    void tidy() const;

  private:
    std::filesystem::path mark(const std::string& name) const { return folder_ / (name + ".failed"); }
    std::filesystem::path folder_;
};

/// Judges whether the holders of claims live. Of another machine there is nothing to go by but what
/// it writes: a holder whose file stays the same for `silence`, by the clock of the one who looks,
/// is taken for dead. No time that is written somewhere is read, so clocks need not agree.
class Watch {
  public:
    explicit Watch(Clock::duration silence) : silence_(silence) {}
    enum class Life {
        alive,   ///< its file has changed since this one looks
        unsure,  ///< it has not, so far
        ended,   ///< a process of this machine that is not there any more
        silent,
    };
    Life look(const std::string& name, const Holder& holder, Clock::time_point now = Clock::now());
    static bool is_dead(Life life) { return life == Life::ended || life == Life::silent; }
    /// Whether the holder is a process of this machine that has ended. Needs no time.
    static bool has_ended(const Holder& holder);

  private:
    struct Seen {
        std::string id, text;
        Clock::time_point since;
        bool changed = false;
    };
    Clock::duration silence_;
    std::map<std::string, Seen> seen_;
};

}  // namespace attend::compare
