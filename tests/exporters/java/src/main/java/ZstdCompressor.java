// The SDK has gzip itself; by its service interface an application adds what else it wants.

import com.github.luben.zstd.ZstdOutputStream;
import io.opentelemetry.sdk.common.export.Compressor;
import java.io.IOException;
import java.io.OutputStream;

public final class ZstdCompressor implements Compressor {
  @Override
  public String getEncoding() {
    return "zstd";
  }

  @Override
  public OutputStream compress(OutputStream stream) throws IOException {
    return new ZstdOutputStream(stream);
  }
}
