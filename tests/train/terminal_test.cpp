#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <regex>
#include <sstream>
#include <vector>

#include "train/evaluate/attention_map.h"
#include "train/show/terminal_observer.h"

namespace terminal_test {

using namespace attend;

TEST_SUITE_BEGIN("terminal");

namespace {

// What stands in the descriptor: waits for the first bytes, then until no more come for a while.
std::string read_all(int descriptor, int wait_milliseconds) {
    std::string all;
    std::array<char, 4096> block;
    pollfd waiting{descriptor, POLLIN, 0};
    while (poll(&waiting, 1, all.empty() ? wait_milliseconds : 20) > 0 && (waiting.revents & POLLIN) != 0) {
        const ssize_t n = read(descriptor, block.data(), block.size());
        if (n <= 0)
            break;
        all.append(block.data(), static_cast<std::size_t>(n));
    }
    return all;
}

// Two ends: what is written to `inside` can be read outside.
struct Ends {
    int outside = -1, inside = -1;
    Ends() = default;
    Ends(const Ends&) = delete;
    Ends& operator=(const Ends&) = delete;
    ~Ends() {
        close(inside);
        close(outside);
    }
    std::string seen() const { return read_all(outside, 2000); }
    std::string seen_soon() const { return read_all(outside, 20); }
};

// A terminal of our own. Some containers and chroots have none to give (no /dev/pts): that is said,
// and the test is over.
struct Pseudo : Ends {
    bool missing() const {
        if (inside < 0)
            MESSAGE("no pseudo-terminal on this machine: what is drawn on one is not tested");
        return inside < 0;
    }
    Pseudo() {
        outside = posix_openpt(O_RDWR | O_NOCTTY);
        if (outside >= 0 && grantpt(outside) == 0 && unlockpt(outside) == 0)
            inside = open(ptsname(outside), O_RDWR | O_NOCTTY);
    }
};

struct Pipe : Ends {
    Pipe() {
        std::array<int, 2> ends{-1, -1};
        if (pipe(ends.data()) == 0) {
            outside = ends[0];
            inside = ends[1];
        }
    }
};

std::string file_text(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// Sets an environment variable while it exists.
class Environment {
  public:
    Environment(const char* name, const char* value) : name_(name) {
        if (const char* before = std::getenv(name)) {
            before_ = before;
            had_ = true;
        }
        setenv(name, value, 1);
    }
    ~Environment() { had_ ? setenv(name_, before_.c_str(), 1) : unsetenv(name_); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

  private:
    const char* name_;
    std::string before_;
    bool had_ = false;
};

std::string drawn(const std::vector<float>& weights, const std::vector<std::string>& source,
                  const std::vector<std::string>& target, MapStyle style = {}) {
    return draw_attention_map(weights, source, target, style);
}

}  // namespace

TEST_CASE("the progress line in full, narrow and with odd values") {
    const ProgressState state{250, 1000, 0.12345, 10.0};
    CHECK(progress_line(state, 100) == "[=======>                      ]   250/1000  loss 0.1235  10 steps/s  1:15 left");
    CHECK(progress_line(state, 63) == "[===>          ]   250/1000  loss 0.1235  10 steps/s  1:15 left");
    CHECK(progress_line(state, 50) == " 250/1000  loss 0.1235  10 steps/s  1:15 left");
    CHECK(progress_line(state, 10) == " 250/1000 ");
    CHECK(progress_line(state, 0) == "");
    CHECK(progress_line(state, -1) == "");
    CHECK(progress_line({0, 10, 0.5, std::nullopt}, 60) == "[>                             ]   0/10  loss 0.5000");
    CHECK(progress_line({10, 10, 0.5, 2.5}, 100) ==
          "[==============================]  10/10  loss 0.5000  2.5 steps/s  0:00 left");
    CHECK(progress_line({12, 10, std::nan(""), 0.001}, 30) == "12/10  loss nan  0.001 steps/s");
    CHECK(progress_line({1, 7201, 12345, 1.0}, 60).ends_with("loss 1.234e+04  1 steps/s  2:00:00 left"));
    CHECK(progress_line({1, std::numeric_limits<int64_t>::max(), -INFINITY, 1e-3}, 200).ends_with(" days left"));
    CHECK(progress_line({1, 0, 1, std::nullopt}, 60) == "1/0  loss 1.0000");
}

TEST_CASE("on a terminal the live line is redrawn around log lines and removed at the end") {
    const Environment kind("TERM", "xterm");
    const Pseudo pseudo;
    if (pseudo.missing())
        return;
    winsize size{};
    size.ws_col = 70;
    REQUIRE(ioctl(pseudo.inside, TIOCSWINSZ, &size) == 0);
    const auto terminal = std::make_shared<Terminal>(pseudo.inside);
    CHECK(terminal->live());
    CHECK(terminal->columns() == 70);
    TerminalObserver log(terminal);
    log.open_log("/dev/null", LogFile::append);
    {
        Progress progress(terminal, 0, 100, std::chrono::hours(1));
        progress.update(50, 1.5);
        const std::string line = pseudo.seen();
        CHECK(line.starts_with("\r\x1b[K["));
        CHECK(line.find(" 50/100  loss 1.5000") != std::string::npos);
        CHECK(line.size() <= 4 + 69);

        progress.update(51, 1.4);  // within the interval: held back
        CHECK(pseudo.seen_soon() == "");
        log.info("an {} line", "early");
        const std::string around = pseudo.seen();
        CHECK(around.starts_with("\r\x1b[K"));
        CHECK(around.find(" an early line\r\n[") != std::string::npos);  // the terminal makes \r\n of \n
        CHECK(around.find(" 50/100") != std::string::npos);
        progress.update(100, 1.0);  // the last step is always drawn
        CHECK(pseudo.seen().find("100/100") != std::string::npos);
    }
    CHECK(pseudo.seen() == "\r\x1b[K");
    log.info("after");
    CHECK(std::regex_match(pseudo.seen(), std::regex("\\d\\d:\\d\\d:\\d\\d after\r\n")));
}

TEST_CASE("a dumb terminal has no live line") {
    const Environment kind("TERM", "dumb");
    const Pseudo pseudo;
    if (pseudo.missing())
        return;
    CHECK_FALSE(Terminal(pseudo.inside).live());
}

TEST_CASE("where there is no terminal only log lines appear") {
    const Pipe pipe;
    const auto terminal = std::make_shared<Terminal>(pipe.inside);
    CHECK_FALSE(terminal->live());
    CHECK(terminal->columns() == 80);
    TerminalObserver log(terminal);
    log.open_log("/dev/null", LogFile::append);
    {
        Progress progress(terminal, 0, 100);
        progress.update(50, 1.5);
        log.warning("rate {}", 0.5);
        log.error("{{}} as it is");
    }
    const std::regex lines("\\d\\d:\\d\\d:\\d\\d warning: rate 0\\.5\n\\d\\d:\\d\\d:\\d\\d error: \\{\\} as it is\n");
    CHECK(std::regex_match(pipe.seen(), lines));
}

TEST_CASE("the log file: begun, continued, refused") {
    const Pipe pipe;
    const auto terminal = std::make_shared<Terminal>(pipe.inside);
    const std::filesystem::path folder = std::filesystem::path(ATTEND_BINARY_DIR) / "terminal_test";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const std::string path = (folder / "log.txt").string();

    TerminalObserver log(terminal);
    log.open_log(path, LogFile::begin);
    log.info("one");
    log.error("two");  // on disk at once, with the log still open
    const std::string stamp = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} ";
    CHECK(std::regex_match(file_text(path), std::regex(stamp + "info one\n" + stamp + "error two\n")));
    log.open_log(path, LogFile::append);
    log.info("three");
    CHECK(file_text(path).ends_with("info three\n"));
    CHECK(file_text(path).find("one") != std::string::npos);
    log.open_log(path, LogFile::begin);
    log.info("four");
    CHECK(file_text(path).find("one") == std::string::npos);
    CHECK(std::regex_match(pipe.seen().substr(0, 13), std::regex("\\d\\d:\\d\\d:\\d\\d one\n")));

    std::string message;
    try {
        log.open_log(folder, LogFile::begin);
    } catch (const Error& e) {
        message = e.what();
    }
    CHECK(message.starts_with(folder.string() + ": the log cannot be opened for writing: "));
    std::filesystem::remove_all(folder);
}

TEST_CASE("a log file that cannot be written is said once, and the run goes on") {
    if (!std::filesystem::exists("/dev/full"))
        return;
    const Pipe pipe;
    TerminalObserver log(std::make_shared<Terminal>(pipe.inside));
    log.open_log("/dev/full", LogFile::append);
    log.info("one");
    log.info("two");
    const std::string seen = pipe.seen();
    CHECK(seen.find(" two\n") != std::string::npos);
    const auto said = seen.find("/dev/full: the log cannot be written: ");
    CHECK(said != std::string::npos);
    CHECK(seen.find("cannot be written", said + 30) == std::string::npos);
}

TEST_CASE("without a log everything is dropped") {
    const Pipe pipe;
    TerminalObserver log(std::make_shared<Terminal>(pipe.inside));
    CHECK_NOTHROW(log.info("nothing"));
    CHECK(pipe.seen_soon() == "");
}

TEST_CASE("a map of characters") {
    CHECK(drawn({0, float(0.05), float(0.2), float(0.45), float(0.75), 1, float(0.04), float(0.1)}, {"a", "b", " ", "\u00e9"},
                {"x", "yz"}) ==
          "   ab\u2423\u00e9\n"
          " x  \u2591\u2592\u2593\n"
          "yz \u2588\u2588 \u2591\n");
    CHECK(drawn({0, float(0.125), float(0.5), float(0.9), 1, float(0.3125)}, {"a", " ", "\u00e9"}, {"x", "\u00df"},
                {Glyphs::ascii}) ==
          "  a_?\n"
          "x .15\n"
          "? 993\n");
    CHECK(drawn({NAN}, {"a"}, {"b"}) == "  a\nb !\n");
    CHECK(drawn({-1, 2}, {"a", "c"}, {"b"}, {Glyphs::ascii}) == "  ac\nb -9\n");
    CHECK(drawn({float(-0.04), float(-0.06)}, {"a", "c"}, {"b"}) == "  ac\nb  -\n");
    CHECK(drawn({float(-0.09), float(-0.11)}, {"a", "c"}, {"b"}, {Glyphs::ascii}) == "  ac\nb .-\n");
}

TEST_CASE("words stand upright, wide and combining characters keep the columns straight") {
    CHECK(drawn({1, 0, 0, 1}, {"ich", "da"}, {"I", "there"}, {Glyphs::ascii}) ==
          "      i\n"
          "      c d\n"
          "      h a\n"
          "    I 9 .\n"
          "there . 9\n");
    CHECK(drawn({1, 0, 0, 1}, {"\u4e2d", "a"}, {"\u6587", "e\u0301"}) ==
          "   \u4e2da\n"
          "\u6587 \u2588\u2588\n"
          " e\u0301   \u2588\u2588\n");
    CHECK(drawn({1, 1}, {"\u0301", "b"}, {""}) == "  \u0301b\n \u2588\u2588\n");
}

TEST_CASE("long words are numbered") {
    CHECK(drawn({1, 0}, {"Donaudampfschiff", "b"}, {"x"}) ==
          "  12\n"
          "x \u2588\n"
          "1 Donaudampfschiff\n"
          "2 b\n");
    std::vector<std::string> source(10, "Donaudampfschiff");
    CHECK(drawn(std::vector<float>(10, 1), source, {"x"}, {Glyphs::ascii})
              .starts_with("                    1\n"
                           "  1 2 3 4 5 6 7 8 9 0\n"
                           "x 9 9 9 9 9 9 9 9 9 9\n"
                           " 1 Donaudampfschiff\n"));
}

TEST_CASE("a long target is cut, a wide map is cut into panels") {
    CHECK(drawn({1}, {"a"}, {"abcdefghijklmnopqrstuvwxyz"}) == "                         a\nabcdefghijklmnopqrstu... \u2588\n");
    CHECK(drawn({1, 0, 0, 0, 1}, {"a", "b", "c", "d", "e"}, {"x"}, {Glyphs::ascii, 4}) ==
          "  ab\nx 9.\n\n  cd\nx ..\n\n  e\nx 9\n");
    CHECK(drawn({1, 0}, {"a", "b"}, {"x"}, {Glyphs::ascii, 1}) == "  a\nx 9\n\n  b\nx .\n");
}

TEST_CASE("symbols from outside cannot steer the terminal") {
    const std::string map = drawn({1, 1, 1}, {"\x1b[2J", "\xFF", "\n"}, {"\r"});
    CHECK(map.find('\x1b') == std::string::npos);
    CHECK(map.find('\r') == std::string::npos);
    CHECK(map.find('\xFF') == std::string::npos);
}

TEST_CASE("empty maps, and a count of weights that does not fit") {
    CHECK(drawn({}, {}, {}) == "");
    CHECK(drawn({}, {"a"}, {}) == " a\n");
    CHECK(drawn({}, {}, {"a"}) == "");
    CHECK_THROWS_WITH_AS(drawn({1, 1, 1}, {"a", "b"}, {"x"}),
                         "attention map: count of weights differs: 3 weights, 1 target symbols x 2 source symbols", Error);
}

TEST_CASE("columns of a text") {
    CHECK(display_width("") == 0);
    CHECK(display_width("abc") == 3);
    CHECK(display_width("\u00e9") == 1);
    CHECK(display_width("e\u0301") == 1);
    CHECK(display_width("\u4e2d\u6587") == 4);
    CHECK(display_width("\U0001F600") == 2);
    CHECK(display_width("a\xFFz") == 3);
}

TEST_CASE("blocks where the locale is UTF-8") {
    const Environment all("LC_ALL", ""), type("LC_CTYPE", ""), language("LANG", "en_GB.UTF-8");
    CHECK(environment_glyphs() == Glyphs::blocks);
    const Environment type2("LC_CTYPE", "de_DE.ISO-8859-1");
    CHECK(environment_glyphs() == Glyphs::ascii);
    const Environment all2("LC_ALL", "C.utf8");
    CHECK(environment_glyphs() == Glyphs::blocks);
    const Environment all3("LC_ALL", "C");
    CHECK(environment_glyphs() == Glyphs::ascii);
}

TEST_SUITE_END();

}  // namespace terminal_test
