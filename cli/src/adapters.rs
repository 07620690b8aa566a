//! `surprisal adapters`.

use std::process::ExitCode;

use comfy_table::{Table, presets};

use crate::{Failure, TableOrJson, output::write};

pub(crate) fn run(format: TableOrJson) -> Result<ExitCode, Failure> {
    let adapters = pollster::block_on(surprisal_gpu::adapters());
    match format {
        TableOrJson::Json => write(&format!("{}\n", serde_json::to_string_pretty(&adapters)?))?,
        TableOrJson::Table if adapters.is_empty() => write("no GPU adapter: everything runs on the CPU\n")?,
        TableOrJson::Table => {
            let mut table = Table::new();
            table.load_preset(presets::NOTHING);
            table.set_header(["adapter", "backend", "type", "driver", "largest binding"]);
            for a in &adapters {
                let binding = format!("{} MiB", a.max_binding_bytes >> 20);
                table.add_row([a.name.as_str(), &a.backend, a.kind, &a.driver, &binding]);
            }
            write(&format!("{}\n", table.trim_fmt()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
