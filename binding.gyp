# The addon: build/Release/sluice.node. scripts/build.mjs runs node-gyp on this; native tests are built by CMakeLists.txt.
{
  "targets": [{
    "target_name": "sluice",
    "sources": ["<!@(node scripts/build/native-sources.mjs)"],
    "include_dirs": ["native", "<!(node -p \"require('node-addon-api').include_dir\")"],
    "defines": [
      "NAPI_VERSION=8",
      "NAPI_DISABLE_CPP_EXCEPTIONS",
      "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
      "NODE_ADDON_API_DISABLE_DEPRECATED",
      "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
    ],
    "cflags!": ["-O3"],
    "cflags": ["-O2", "-g1", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Wno-unused-parameter", "-fvisibility=hidden", "-fno-omit-frame-pointer"],
    "cflags_cc!": ["-std=gnu++17"],
    "cflags_cc": ["-std=gnu++20", "-fno-exceptions", "-fno-rtti"],
    # What Node unloads with the last worker that used it comes again with the next one, and what lives as long as the process would be made anew and lost each time.
    "ldflags": ["-Wl,-z,nodelete"],
    "libraries": ["-luring", "-llz4", "-lzstd", "-lsnappy", "-lz"]
  }]
}
