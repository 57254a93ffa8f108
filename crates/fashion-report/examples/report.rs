//! Writes a whole report from made-up data: `cargo run -p fashion-report --example report -- FILE`.

#[path = "../tests/it/stand_in/mod.rs"]
mod stand_in;
use stand_in::whole;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "report.html".into());
    let page = fashion_report::html::render(&whole::judged(10, false).report(20))?;
    std::fs::write(&file, page)?;
    println!("{file}");
    Ok(())
}
