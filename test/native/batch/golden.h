// Reads golden_batches.txt, the fixture that GoldenBatches.java prints (its grammar stands there).
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace sluice::batch::golden {

using Data = std::vector<uint8_t>;

// "-" null, "." empty, hex with "+61*70000+" for runs.
inline std::optional<Data> ParseBytes(const std::string& text) {
  if (text == "-") return std::nullopt;
  Data out;
  if (text == ".") return out;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '+') {
      const size_t end = text.find('+', i + 1);
      const std::string run = text.substr(i + 1, end - i - 1);
      out.insert(out.end(), std::stoul(run.substr(3)), static_cast<uint8_t>(std::stoul(run.substr(0, 2), nullptr, 16)));
      i = end + 1;
    } else {
      out.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
      i += 2;
    }
  }
  return out;
}

struct Record {
  int64_t offset = 0;
  int64_t timestamp = 0;
  std::optional<Data> key, value;
  std::vector<std::pair<Data, std::optional<Data>>> headers;
};

struct Entry {
  std::string name;
  std::map<std::string, std::string> fields;
  Data bytes;
  std::vector<Record> records;  // B
  std::string result;           // V: "ok" or the error; P: the error or NONE
  std::vector<int> indexes;     // V, error
  int64_t max_timestamp = 0;    // V, ok
  Data output;                  // V, ok
  int64_t Number(const std::string& field) const { return std::stoll(fields.at(field)); }
};

struct Fixture {
  std::vector<Entry> batches, validations, produces;
};

inline const Fixture& Load() {
  static const Fixture fixture = [] {
    Fixture f;
    std::ifstream in(std::filesystem::path(__FILE__).parent_path() / "golden_batches.txt");
    std::string line;
    while (std::getline(in, line)) {
      std::istringstream words(line);
      std::vector<std::string> w;
      for (std::string word; words >> word;) w.push_back(word);
      if (w.empty() || w[0] == "#") continue;
      if (w[0] == "B" || w[0] == "V") {
        Entry e;
        e.name = w[1];
        for (size_t i = 2; i + 1 < w.size(); ++i) e.fields[w[i].substr(0, w[i].find('='))] = w[i].substr(w[i].find('=') + 1);
        e.bytes = *ParseBytes(w.back());
        (w[0] == "B" ? f.batches : f.validations).push_back(std::move(e));
      } else if (w[0] == "R") {
        Record r;
        r.offset = std::stoll(w[1]);
        r.timestamp = std::stoll(w[2]);
        r.key = ParseBytes(w[3]);
        r.value = ParseBytes(w[4]);
        for (size_t i = 5; i < w.size(); ++i) {
          const size_t equals = w[i].find('=');
          r.headers.emplace_back(*ParseBytes(w[i].substr(0, equals)), ParseBytes(w[i].substr(equals + 1)));
        }
        f.batches.back().records.push_back(std::move(r));
      } else if (w[0] == "=") {
        Entry& e = f.validations.back();
        if (w[1] == "ok") {
          e.result = "ok";
          e.max_timestamp = std::stoll(w[2]);
          e.output = *ParseBytes(w[3]);
        } else {
          e.result = w[2];
          std::istringstream list(w.size() > 3 ? w[3] : "-");
          for (std::string n; std::getline(list, n, ',');) if (n != "-") e.indexes.push_back(std::stoi(n));
        }
      } else if (w[0] == "P") {
        Entry e;
        e.name = w[1];
        e.bytes = *ParseBytes(w[2]);
        e.result = w[3];
        f.produces.push_back(std::move(e));
      }
    }
    return f;
  }();
  return fixture;
}

}  // namespace sluice::batch::golden
