//! Writes a folder of seeds: every case of the tables, slow ones apart, and every hash as a line of htpasswd.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use meshwright_policy::testdata::tables;
use meshwright_policy_fuzz::seed;

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("seed FOLDER"));
    };
    let mut count = 0;
    for table in tables().map_err(io::Error::other)? {
        for case in &table.cases {
            let config = table.configs.get(&case.config).map_or("", String::as_str);
            count += 1;
            write(&folder.join("decide"), count, &seed(table.root_id, config, case))?;
        }
    }
    Ok(println!("{count} cases"))
}

fn write(folder: &Path, number: u32, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("seed-{number:04}")), bytes)
}
